"""Copies to the addresses that vendors have apps write into their Info.plist."""

from collections.abc import Sequence

from skan_receiver.delivery.presets.preset import Preset
from skan_receiver.protocol import Framework

# Where Apple's devices go below the domain an app names.
# https://developer.apple.com/documentation/bundleresources/information-property-list/nsadvertisingattributionreportendpoint
# https://developer.apple.com/documentation/bundleresources/information-property-list/attributioncopyendpoint
PATHS = {
    Framework.SKADNETWORK: "/.well-known/skadnetwork/report-attribution/",
    Framework.ADATTRIBUTIONKIT: "/.well-known/appattribution/report-attribution/",
}


def developer_copy(
    name: str, title: str, host: str, frameworks: Sequence[Framework], source: str
) -> Preset:
    """A preset that sends to `host` as devices do, for the frameworks it is documented for."""
    return Preset(
        name=f"{name}-copy",
        title=f"{title}, developer's copy",
        role="developer copy",
        kind="relay",
        definition={
            "url": {each.value: f"https://{host}{PATHS[each]}" for each in frameworks},
            "endpoints": ["developer"],
        },
        source=source,
        confirmed=(
            f"unconfirmed by vendor: {title} documents {host} for devices, and no page says "
            "whether it takes copies from a server"
        ),
        notes=(
            "Goes out as Apple sent it. The path is Apple's; the address it comes from will be "
            "this server's, and not a device's."
            + ("" if len(frameworks) == len(PATHS) else " No page has it for AdAttributionKit.")
        ),
    )
