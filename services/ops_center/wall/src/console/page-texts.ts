/** Texts of the pages beside the queue: sensors, rules, delivery, quarantine. */

import { gatheringEn, gatheringZh } from "../live/step-texts";
import { messages } from "../i18n";

const zh = {
  refresh: "刷新", loading: "正在加载…", load_more: "加载更多", nothing: "没有内容", shown: "已显示 {n} 条", all: "全部",
  sensors: "感知点", sensors_more: "注册表中的全部感知点与当前读数。", sensor_search: "搜索编号或名称", area: "区域", metric: "指标",
  every_area: "全部区域", every_metric: "全部指标", id: "编号", name: "名称", readings: "当前读数", place: "位置", unplaced: "未定位",
  retired: "已停用", updated: "更新时间",
  state_never: "未接入", state_normal: "正常", state_stale: "失联", state_bad: "数据异常",
  state_p1: "紧急", state_p2: "重要", state_p3: "一般", state_p4: "提示",
  rules: "规则", rules_more: "规则来自 rules/*.yaml 或接口；条件成立并持续规定时间后立案。", rule: "规则", condition: "条件", above: "高于 {value}",
  below: "低于 {value}", for_span: "持续 {span}", at_once: "立即", deadband: "回差", priority: "级别", grade: "等级",
  department: "承办部门", deadline: "时限", scope: "范围", everywhere: "全部", open_now: "未结", version: "第 {n} 版",
  kind_rate: "{span} 内变化{limit}", kind_absent: "{span} 无数据", kind_stuck: "{span} 数值不变", kind_compare: "与 {other} 相比{limit}",
  kind_week: "与上周同期相比{limit}", kind_unusual: "异常程度{limit}", kind_forecast: "预计 {span}内{limit}", kind_count: "{bar} 个以上：{inner}", kind_and: " 且 ", kind_or: " 或 ", kind_not: "非（{inner}）", switched_off: "停用",
  refused_rules: "未被采用的规则", line: "{file} 第 {line} 行",
  endpoints: "推送地址", endpoints_more: "事件按 Standard Webhooks 签名推送到这些地址。", add: "添加推送地址", url: "地址（URL）",
  url_hint: "https://example.org/hooks", events: "事件类型", every_event: "全部事件", save: "添加", cancel: "取消", remove: "删除",
  remove_sure: "确认删除？投递记录也会一并删除。", remove_yes: "确认删除", enabled: "启用", disabled: "已停用", created: "创建时间",
  secret_for: "{url} 的密钥",   no_endpoints: "还没有推送地址。", admin_only: "只有管理员可以添加或删除推送地址。", bad_url: "请填写以 http:// 或 https:// 开头的地址。",
  pick_event: "请至少选择一种事件。",
  deliveries: "投递记录", delivery_state: "状态", every_state: "全部状态", queued: "排队中", delivered: "已送达", superseded: "已被取代", dead: "已放弃",
  event: "事件", attempts: "尝试", last_attempt: "最近一次", none_yet: "尚未尝试", endpoint: "地址", incident: "事件编号", ms: "{n} 毫秒", next_try: "下次 {at}",
  gone: "已删除",
  quarantine: "隔离区", quarantine_more: "未能采用的读数及其原因；原文保留。", code: "原因", source: "来源", detail: "说明", item: "原文", when: "时间",
  every_code: "全部原因", source_search: "按来源密钥名称", where: "日志位置", empty_quarantine: "隔离区是空的。",
  quarantine_item: "隔离项 {id}", held_waiting: "待处理", held_replayed: "已重放", held_discarded: "已放弃", held_mended: "已修正", mended: "修正后的内容", mend_note: "说明", mend_replay: "保存修正并重放", discard: "放弃", not_json: "不是有效的 JSON。", say_why: "放弃前请填写说明。", refused_again: "仍被拒绝：", over_quota: "超出配额",
  channel: "渠道", name_of: "名称", language: "消息语言", zh: "中文", en: "英文", test: "测试投递", testing: "正在投递…", test_ok: "已送达（{n} 毫秒）", test_bad: "未送达：{why}", switch_off: "停用", switch_on: "启用", rotate: "更换密钥", rotate_sure: "旧密钥 24 小时内仍有效", resend: "重发", resent: "已排队重发", channel_secret: "机器人的加签密钥", page_only: "仅用于呼叫",
  ch_webhook: "Webhook", ch_alertmanager: "Alertmanager", ch_slack: "Slack", ch_dingtalk: "钉钉", ch_feishu: "飞书", ch_wecom: "企业微信", ch_email: "邮件", ch_cap: "邻市预警",
  malformed: "格式错误", invalid_type: "类型错误", invalid_value: "值无效", unknown_field: "未知字段", unknown_sensor: "未知感知点",
  unknown_metric: "未知指标", out_of_range: "超出合理范围", in_future: "时间超前", too_old: "时间过旧", forbidden: "无权限", too_large: "过大", conflict: "同一时刻的值冲突",
  ...gatheringZh,
  "incident.opened": "立案", "incident.cleared": "告警恢复", "incident.refired": "再次告警", "incident.acknowledged": "签收",
  "incident.dispatched": "派遣", "incident.started": "开始处置", "incident.resolved": "反馈", "incident.closed": "结案", "incident.reopened": "重开",
};

export type PageText = keyof typeof zh;

const en: Record<PageText, string> = {
  refresh: "Refresh", loading: "Loading…", load_more: "Load more", nothing: "Nothing here", shown: "{n} shown", all: "all",
  sensors: "Sensors", sensors_more: "Every registered sensor and its present readings.", sensor_search: "Search id or name", area: "Area", metric: "Metric",
  every_area: "All areas", every_metric: "All metrics", id: "Id", name: "Name", readings: "Readings", place: "Place", unplaced: "unplaced",
  retired: "retired", updated: "Updated",
  state_never: "not connected", state_normal: "normal", state_stale: "silent", state_bad: "bad data",
  state_p1: "urgent", state_p2: "high", state_p3: "medium", state_p4: "low",
  rules: "Rules", rules_more: "Rules come from rules/*.yaml or over HTTP; an incident opens when a condition has held for long enough.", rule: "Rule", condition: "Condition", above: "above {value}",
  below: "below {value}", for_span: "for {span}", at_once: "at once", deadband: "Deadband", priority: "Priority", grade: "Grade",
  department: "Department", deadline: "Deadline", scope: "Scope", everywhere: "everywhere", open_now: "Open", version: "version {n}",
  kind_rate: "change within {span} {limit}", kind_absent: "no data for {span}", kind_stuck: "unchanged for {span}", kind_compare: "against {other} {limit}",
  kind_week: "against last week {limit}", kind_unusual: "how unusual: {limit}", kind_forecast: "expected {limit} within {span}", kind_count: "at {bar} or more: {inner}", kind_and: " and ", kind_or: " or ", kind_not: "not ({inner})", switched_off: "off",
  refused_rules: "Rules that were refused", line: "{file} line {line}",
  endpoints: "Endpoints", endpoints_more: "Incidents are pushed to these addresses, signed by Standard Webhooks.", add: "Add an endpoint", url: "Address (URL)",
  url_hint: "https://example.org/hooks", events: "Events", every_event: "Every event", save: "Add", cancel: "Cancel", remove: "Remove",
  remove_sure: "Remove it and its deliveries?", remove_yes: "Remove", enabled: "enabled", disabled: "disabled", created: "Created",
  secret_for: "Secret of {url}",   no_endpoints: "There is no endpoint yet.", admin_only: "Only an administrator may add or remove endpoints.", bad_url: "Give an address that begins with http:// or https://.",
  pick_event: "Choose at least one event.",
  deliveries: "Deliveries", delivery_state: "State", every_state: "All states", queued: "queued", delivered: "delivered", superseded: "superseded", dead: "given up",
  event: "Event", attempts: "Attempts", last_attempt: "Last attempt", none_yet: "none yet", endpoint: "Endpoint", incident: "Incident", ms: "{n} ms", next_try: "next {at}",
  gone: "removed",
  quarantine: "Quarantine", quarantine_more: "Readings that could not be taken, why, and as they came.", code: "Reason", source: "Source", detail: "Detail", item: "As it came", when: "When",
  every_code: "All reasons", source_search: "Name of the source's key", where: "Place in the log", empty_quarantine: "The quarantine is empty.",
  quarantine_item: "Quarantined item {id}", held_waiting: "waiting", held_replayed: "replayed", held_discarded: "given up", held_mended: "mended", mended: "As mended", mend_note: "Note", mend_replay: "Save and replay", discard: "Give up", not_json: "This is no JSON.", say_why: "Say why, before giving it up.", refused_again: "Refused again:", over_quota: "over quota",
  channel: "Channel", name_of: "Name", language: "Language of messages", zh: "Chinese", en: "English", test: "Test delivery", testing: "Delivering…", test_ok: "delivered ({n} ms)", test_bad: "not delivered: {why}", switch_off: "Switch off", switch_on: "Switch on", rotate: "New secret", rotate_sure: "The old one is valid for 24 h", resend: "Send again", resent: "queued again", channel_secret: "The bot's signing secret", page_only: "pages only",
  ch_webhook: "Webhook", ch_alertmanager: "Alertmanager", ch_slack: "Slack", ch_dingtalk: "DingTalk", ch_feishu: "Feishu", ch_wecom: "WeCom", ch_email: "E-mail", ch_cap: "Neighbouring city",
  malformed: "malformed", invalid_type: "wrong type", invalid_value: "invalid value", unknown_field: "unknown field", unknown_sensor: "unknown sensor",
  unknown_metric: "unknown metric", out_of_range: "out of range", in_future: "in the future", too_old: "too old", forbidden: "not allowed", too_large: "too large", conflict: "conflicting value",
  ...gatheringEn,
  "incident.opened": "opened", "incident.cleared": "alarm cleared", "incident.refired": "alarm again", "incident.acknowledged": "acknowledged",
  "incident.dispatched": "dispatched", "incident.started": "work started", "incident.resolved": "resolved", "incident.closed": "closed", "incident.reopened": "reopened",
};

export const p = messages<PageText>(zh, en);

export function knownPage(key: string): string {
  return key in zh ? p(key as PageText) : key;
}
