"""Problems: every refusal as RFC 9457 ``application/problem+json``, Chinese and English."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hub.kernel.reasons import CODES

MEDIA_TYPE = "application/problem+json"
URN = "urn:gov:hub:problem:"


class Wording(NamedTuple):
    """What a status means here and what the caller should do."""

    name: str
    zh: str
    en: str
    do_zh: str
    do_en: str


WORDINGS = {
    400: Wording("bad-request", "请求无法理解", "The request cannot be read",
                 "请按接口说明更正后重发。", "Correct it as documented and send it again."),
    401: Wording("unauthenticated", "缺少有效的访问密钥", "No valid key",
                 "请在 Authorization: Bearer 中提供本单位的密钥。",
                 "Send your key as 'Authorization: Bearer …'."),
    403: Wording("forbidden", "该密钥无权执行此操作", "This key may not do that",
                 "请使用该部门或项目自己的密钥。", "Use the key of that department or program."),
    404: Wording("not-found", "没有此资源", "There is no such thing",
                 "请核对地址。", "Check the address."),
    405: Wording("method-not-allowed", "不支持此请求方法", "Method not allowed",
                 "请按接口说明更正。", "Use the documented method."),
    409: Wording("conflict", "与当前状态不符", "In conflict with the present state",
                 "请重新读取后再试。", "Read again, then repeat."),
    410: Wording("gone", "编号已换代", "The numbering has a new generation",
                 "请按新一代编号继续读取。", "Go on reading by the numbers of the new generation."),
    413: Wording("too-large", "消息超过大小上限", "The message is over the size limit",
                 CODES["E-TOO-LARGE"].zh, CODES["E-TOO-LARGE"].en),
    415: Wording("media-type", "不支持的内容类型", "Media type not supported",
                 "请使用 application/json 或 application/x-ndjson。",
                 "Send application/json or application/x-ndjson."),
    422: Wording("invalid", "内容不符合公布的格式", "The content does not fit the published schema",
                 "请更正所示字段后重发。", "Correct the fields named and send it again."),
    429: Wording("rate", "请求过于频繁", "Too many requests",
                 "请按 Retry-After 等待后再试。", "Wait as Retry-After says, then repeat."),
    503: Wording("unavailable", "暂时无法保存", "Cannot be stored just now",
                 "未受理;请稍后原样重发,不会产生重复事件。",
                 "Not accepted: send the same again later, no duplicate will arise."),
}  # fmt: skip


class ProblemError(Exception):
    """A refusal.

    Args:
        status: HTTP status, one of :data:`WORDINGS`.
        zh: What is wrong in this case, Chinese.
        en: The same, English.
        code: Dead-letter code that intake would give, e.g. ``E-TOO-LARGE``.
        field: Path of the wrong field, never its value.
        headers: Further response headers.
        more: Further members of the document.
    """

    def __init__(
        self,
        status: int,
        zh: str = "",
        en: str = "",
        *,
        code: str = "",
        field: str = "",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(status, en)
        self.status, self.zh, self.en = status, zh, en
        self.code, self.field = code, field
        self.headers = headers or {}
        self.more = more

    def document(self) -> dict[str, Any]:
        """The members of the problem document."""
        wording = WORDINGS[self.status]
        found: dict[str, Any] = {
            "type": URN + wording.name,
            "status": self.status,
            "title": f"{wording.zh} / {wording.en}",
            "title_zh": wording.zh,
            "title_en": wording.en,
            "detail": f"{self.zh} / {self.en}" if self.zh else "",
            "do_zh": wording.do_zh,
            "do_en": wording.do_en,
            "code": self.code,
            "field": self.field,
            **self.more,
        }
        return {name: value for name, value in found.items() if value is not None and value != ""}


def response_of(error: ProblemError) -> Response:
    """The problem as an answer."""
    return JSONResponse(
        error.document(), error.status, headers=error.headers, media_type=MEDIA_TYPE
    )


async def _problem(_request: Request, error: Exception) -> Response:
    if isinstance(error, ProblemError):
        return response_of(error)
    if isinstance(error, HTTPException):
        status = error.status_code if error.status_code in WORDINGS else 400
        return response_of(ProblemError(status, headers=dict(error.headers or {})))
    raise error


def register(app: FastAPI) -> None:
    """Answer every refusal of an app as a problem document."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _problem)
