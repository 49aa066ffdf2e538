"""Dead-letter codes: one table with category, public reason and the mend in two languages.

The public reasons (``schema_invalid`` …) are the five that departments see; the codes tell
operators exactly which check failed.
"""

from __future__ import annotations

from typing import NamedTuple

from hub.kernel.errors import ErrorCategory


class Reason(NamedTuple):
    """What a code means and what the department should do."""

    category: ErrorCategory
    public: str
    zh: str
    en: str


CODES: dict[str, Reason] = {
    "E-JSON": Reason(
        ErrorCategory.POISON,
        "schema_invalid",
        "不是有效的 JSON,请检查导出程序后重发。",
        "Not valid JSON: mend the exporting program and send again.",
    ),
    "E-ENCODING": Reason(
        ErrorCategory.POISON,
        "schema_invalid",
        "文字编码不是 UTF-8,请以 UTF-8 重发。",
        "The text is not UTF-8: send it again as UTF-8.",
    ),
    "E-SCHEMA-ID": Reason(
        ErrorCategory.SCHEMA,
        "schema_invalid",
        "消息所用的模式编号未登记,请先登记模式。",
        "The message names an unknown schema id: register the schema first.",
    ),
    "E-SCHEMA-BODY": Reason(
        ErrorCategory.SCHEMA,
        "schema_invalid",
        "消息内容与其模式不符。",
        "The message body does not fit its schema.",
    ),
    "E-FIELD-MISSING": Reason(
        ErrorCategory.SCHEMA,
        "schema_invalid",
        "缺少必填项,请补齐后重发。",
        "A required field is missing: fill it in and send again.",
    ),
    "E-FIELD-TYPE": Reason(
        ErrorCategory.SCHEMA,
        "schema_invalid",
        "字段格式不对,请更正后重发。",
        "A field has the wrong form: correct it and send again.",
    ),
    "E-DATE": Reason(
        ErrorCategory.SCHEMA,
        "schema_invalid",
        "日期无效,请按 2025-04-01 填写。",
        "Not a valid date: write it as 2025-04-01.",
    ),
    "E-FUTURE": Reason(
        ErrorCategory.SCHEMA,
        "schema_invalid",
        "发生日期晚于登记日期,请核对。",
        "The fact lies after its own record time: check the date.",
    ),
    "E-AMOUNT": Reason(
        ErrorCategory.SCHEMA,
        "schema_invalid",
        "金额无效,应为元、两位小数。",
        "Not a valid amount: yuan with two decimals.",
    ),
    "E-CODE-UNKNOWN": Reason(
        ErrorCategory.REFERENCE,
        "unknown_type",
        "代码不在代码表中,请核对代码或更新代码表。",
        "The code is not in the code list: correct it or load the new list.",
    ),
    "E-TYPE-UNKNOWN": Reason(
        ErrorCategory.REFERENCE,
        "unknown_type",
        "事件类型未登记。",
        "The event type is not declared.",
    ),
    "E-AREA-UNKNOWN": Reason(
        ErrorCategory.REFERENCE,
        "unknown_area",
        "区划代码在该日期无效或无法唯一对应,请核对。",
        "The division code is not valid on that date or has several successors: check it.",
    ),
    "E-ID-LENGTH": Reason(
        ErrorCategory.IDENTITY,
        "id_number_invalid",
        "证件号码位数不对,应为 18 位。",
        "The ID number has the wrong length: 18 characters.",
    ),
    "E-ID-CHECK": Reason(
        ErrorCategory.IDENTITY,
        "id_number_invalid",
        "证件号码校验码不对,请核对原件。",
        "The check character of the ID number is wrong: compare with the document.",
    ),
    "E-ID-DATE": Reason(
        ErrorCategory.IDENTITY,
        "id_number_invalid",
        "证件号码中的出生日期无效。",
        "The birth date in the ID number is not valid.",
    ),
    "E-ID-FORM": Reason(
        ErrorCategory.IDENTITY,
        "id_number_invalid",
        "证件号码含有无效字符或前缀。",
        "The ID number has an invalid character or prefix.",
    ),
    "E-ID-LOST": Reason(
        ErrorCategory.IDENTITY,
        "id_number_invalid",
        "证件号码被电子表格改成了数字,后几位已丢失;请把该列设为文本后重新导出。",
        "A spreadsheet turned the ID number into a number and lost digits: export as text.",
    ),
    "E-ID-15": Reason(
        ErrorCategory.IDENTITY,
        "identity_ambiguous",
        "15 位旧证件号码无法与已知人员唯一对应,请提供 18 位号码。",
        "A 15-digit ID number matches no known person: give the 18-character number.",
    ),
    "E-ID-SYNTHETIC": Reason(
        ErrorCategory.IDENTITY,
        "id_number_invalid",
        "演示用的虚构证件号码,本环境不接受。",
        "A synthetic demo ID number, refused in this environment.",
    ),
    "E-ID-TWO-NAMES": Reason(
        ErrorCategory.IDENTITY,
        "identity_ambiguous",
        "同一证件号码对应两个姓名,须人工核实。",
        "One ID number with two names: a person must check it.",
    ),
    "E-CHANGED-WITHOUT-VERSION": Reason(
        ErrorCategory.SCHEMA,
        "schema_invalid",
        "同一记录键、同一版本的内容变了;请提供版本号或更正说明。",
        "The same record key and version came with other content: give a new version.",
    ),
    "E-TOO-LARGE": Reason(
        ErrorCategory.POISON,
        "schema_invalid",
        "消息超过大小上限,请拆分或以附件方式提供。",
        "The message is over the size limit: split it or send it as an attachment.",
    ),
    "E-SENDER": Reason(
        ErrorCategory.AUTH,
        "unknown_type",
        "该部门无权发布此类事件。",
        "This department may not publish this type of event.",
    ),
    "E-EFFECT-WITHOUT-DECISION": Reason(
        ErrorCategory.POLICY,
        "schema_invalid",
        "停发、退出等须附有权人员的决定编号。",
        "An adverse effect needs the decision id of a named person with power.",
    ),
    "E-SKIPPED": Reason(
        ErrorCategory.TRANSIENT,
        "schema_invalid",
        "运维人员移动位移时跳过了此消息,未作处理;可以重投。",
        "Skipped by an operator who moved the offset: it was not worked and can be redriven.",
    ),
    "E-BUG": Reason(
        ErrorCategory.BUG,
        "schema_invalid",
        "枢纽处理此消息时出错,已隔离并报警,运维人员会处理。",
        "The hub failed on this message: it is set aside and operators are alarmed.",
    ),
}
"""Every dead-letter code. Adding a code here is all it takes to use it."""
