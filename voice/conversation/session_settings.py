"""The settings of a session's parts, together."""

from __future__ import annotations

from dataclasses import dataclass, field

from voice.conversation.approvals import ApprovalSettings
from voice.conversation.barge_in import BargeInSettings
from voice.conversation.turn_taking import HEARING, TurnSettings
from voice.conversation.work import WorkSettings
from voice.hearing.endpoint import EndpointSettings


@dataclass(frozen=True)
class SessionSettings:
    """Of the parts; `longest_wait_s` for words, before playback goes on without them."""

    turns: TurnSettings = field(default_factory=TurnSettings)
    barge_in: BargeInSettings = field(default_factory=BargeInSettings)
    approvals: ApprovalSettings = field(default_factory=ApprovalSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    hearing: EndpointSettings = HEARING
    longest_wait_s: float = 5.0
    wake_phrase: str = ""  # with one, words count only behind it, or soon after the last exchange
    is_push_to_talk: bool = False  # words count only while the key of push-to-talk keeps the turn open
