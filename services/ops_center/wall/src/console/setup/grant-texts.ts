/** Texts of the page about data that others are lent. */

import { messages } from "../../i18n";

const zh = {
  grants: "数据授权", grants_more: "谁因何得到了哪些数据、由谁批准；撤销后两秒内处处失效。", ask: "申请数据", ask_key: "供系统读取（密钥）", ask_person: "供本人查看（个人信息）",
  kind: "用途类别", recipient: "使用单位", purpose: "用途", fields: "数据项", level: "级别", level_hint: "高于此级别的数据项粗化或不给", areas: "区域", every: "不限", metrics: "指标",
  since: "数据起始", until: "数据截止", rate: "每秒行数", rate_hint: "0：不限", ends: "有效期至", whole: "全部", which: "给谁", what: "数据", state: "状态", who: "申请与审批", usage: "用量", rows: "{n} 行 · {m} 次",
  requested: "待审批", refused: "未批准", active: "有效", expired: "已到期", revoked: "已撤销", decide: "审批", approve: "批准", refuse: "不批准", reason: "理由", reason_hint: "所有人可见",
  collect: "领取密钥", collect_sure: "先前的密钥立即失效", end: "撤销", end_reason: "撤销理由", key_made: "「{name}」的密钥", nobody: "没有授权。", only: "只看", all_states: "全部状态", decided_by: "{name} 审批", asked_by: "{name} 申请", need_field: "至少选一项数据。", tools: "操作", up_to: "至多 {level}", pick_fields: "选择数据项",
};

export type GrantText = keyof typeof zh;

const en: Record<GrantText, string> = {
  grants: "Data grants", grants_more: "Who got which data, what for, and who approved it; two seconds after it is revoked nothing works any more.", ask: "Ask for data", ask_key: "for a system (key)", ask_person: "for myself (personal data)",
  kind: "Kind", recipient: "Used by", purpose: "Purpose", fields: "Fields", level: "Level", level_hint: "fields above it are coarse, or withheld", areas: "Areas", every: "any", metrics: "Metrics",
  since: "Data from", until: "Data until", rate: "Rows per second", rate_hint: "0: unlimited", ends: "Valid until", whole: "everything", which: "For whom", what: "Data", state: "State", who: "Asked and decided", usage: "Usage", rows: "{n} rows · {m} requests",
  requested: "to be decided", refused: "refused", active: "active", expired: "expired", revoked: "revoked", decide: "Decide", approve: "Approve", refuse: "Refuse", reason: "Reason", reason_hint: "everybody can read it",
  collect: "Collect key", collect_sure: "An earlier key ends at once", end: "Revoke", end_reason: "Why it is revoked", key_made: "Key for “{name}”", nobody: "No grants.", only: "Show", all_states: "every state", decided_by: "decided by {name}", asked_by: "asked by {name}", need_field: "Choose at least one field.", tools: "Actions", up_to: "up to {level}", pick_fields: "Choose fields",
};

export const g = messages<GrantText>(zh, en);
