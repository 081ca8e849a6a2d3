"""Apple's endpoints, and those of forwarders. (Being written.)"""

from flask import Blueprint

bp = Blueprint("receive", __name__)
