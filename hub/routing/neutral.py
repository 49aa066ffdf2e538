"""What a receiver reads in place of the reason where the reason stays inside the hub."""

from __future__ import annotations

_REVIEW = ("待遇情况有变化,请复核。", "The entitlement has changed, please review.")
_SENTENCES: dict[str, tuple[str, str]] = {
    "referral.created": ("有一项转介,请办理。", "There is a referral, please handle it."),
    "referral.stop_notified": (
        "待遇依据已有变化,请复核是否继续并答复。",
        "The ground of the entitlement has changed, please review and answer.",
    ),
    "referral.details_released": ("补充信息如下。", "Here are the further details."),
    "referral.closed": ("该转介已关闭。", "The referral is closed."),
    "electricity.match_requested": (
        "请按户名和地址匹配电力户号。",
        "Please find the meter account of this name and address.",
    ),
    "roster.delta": ("名册有变动。", "The roster has changed."),
    "roster.snapshot": ("本期名册。", "The roster of the period."),
    "roster.part": ("本期名册分片。", "A part of the roster of the period."),
}


def sentence(copy_type: str) -> tuple[str, str]:
    """Chinese and English; the same for every cause of a type of copy."""
    return _SENTENCES.get(copy_type, _REVIEW)
