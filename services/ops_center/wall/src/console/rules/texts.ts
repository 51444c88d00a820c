/** Texts of the rule editor. */

import { messages } from "../../i18n";

const zh = {
  new: "新建规则", edit: "规则：{title}", form: "表单", yaml: "YAML", beyond: "这条规则用到表单没有的写法，请用 YAML 编辑。", bad_yaml: "YAML 无法解析：{why}", broken_form: "YAML 有误，改正后才能回到表单。",
  id: "编号", id_hint: "小写字母、数字与连字符", title_zh: "中文标题", title_en: "英文标题", metric: "指标", kind: "条件", limit: "限值（{unit}）", over: "时间窗（分钟）", hold: "持续（分钟）后立案", deadband: "回差（{unit}）", silent: "无数据（分钟）", still: "不变（分钟）",
  k_above: "高于", k_below: "低于", k_rises: "上升超过", k_falls: "下降超过", k_absent: "没有数据", k_stuck: "数值不变", k_will_rise: "预计将高于", k_will_fall: "预计将低于", ahead: "提前（60–360 分钟）",
  priority: "级别", grade: "等级", department: "承办部门", category: "类别", none: "无", deadline: "办理时限（分钟）", areas: "只看这些区域", everywhere: "全市", sensors: "只看这些感知点", sensors_hint: "编号，可用 * 通配，空格分开；空：全部",
  preview: "回放预览", preview_more: "用已存的历史读数重放，看它会立多少案；不写入、不通知。", days: "天数", run: "预览", running: "正在回放…", would: "近 {days} 天：{alerts} 次告警，涉及 {subjects} 个对象", current: "现行版本：{alerts} 次告警，{subjects} 个对象", read: "读取 {rows} 条读数、{sensors} 个感知点，用时 {seconds} 秒", cut: "（有截断）", none_would: "这段时间不会有告警。", peak: "峰值", still_on: "仍在持续", from: "自", until: "至", subject: "对象",
  test: "试一试", test_more: "写一串读数，看规则何时立案、何时恢复。", samples: "读数", samples_hint: "每 {n} 秒一个；8x5：五个 8；_：缺一个；1+2x4：从 1 起每次加 2", expected: "预期", e_raise: "应当立案", e_quiet: "不应立案", run_test: "测试", passed: "符合预期", failed: "与预期不符", raised: "自第 {from} 起告警，{until}", cleared: "第 {at} 恢复", standing: "至末尾仍未恢复", quiet: "没有立案",
  note: "修改说明", save_new: "生效", save: "保存为新版本", switch_on: "启用", switch_off: "停用", retire: "退役", retire_sure: "退役后不再判断；版本保留", versions: "版本", version: "第 {n} 版", by: "{author} · {at}", stale: "有人先改了这条规则，请关闭后重新打开。", refused_line: "第 {line} 行", refused_at: "{pointer}", need: "必填", need_number: "请填写数字", off: "已停用", file: "来自 {file}；界面上的修改在文件再次改变之前有效。", admin_only: "只有管理员可以修改规则。",
};

export type RuleText = keyof typeof zh;

const en: Record<RuleText, string> = {
  new: "New rule", edit: "Rule: {title}", form: "Form", yaml: "YAML", beyond: "This rule asks what the form cannot show: edit it as YAML.", bad_yaml: "This YAML cannot be read: {why}", broken_form: "There is an error in the YAML: mend it to come back to the form.",
  id: "Id", id_hint: "lower-case letters, digits, hyphens", title_zh: "Title in Chinese", title_en: "Title in English", metric: "Metric", kind: "Condition", limit: "Limit ({unit})", over: "Within (min)", hold: "Raised after (min)", deadband: "Deadband ({unit})", silent: "Silent for (min)", still: "Unchanged for (min)",
  k_above: "above", k_below: "below", k_rises: "rises by more than", k_falls: "falls by more than", k_absent: "no data", k_stuck: "value stuck", k_will_rise: "expected above", k_will_fall: "expected below", ahead: "Ahead (60–360 min)",
  priority: "Priority", grade: "Grade", department: "Department", category: "Category", none: "none", deadline: "Deadline (min)", areas: "Only in these areas", everywhere: "whole city", sensors: "Only these sensors", sensors_hint: "ids, * stands for anything, separated by spaces; empty: all",
  preview: "Preview", preview_more: "Plays stored history to it: what it would have raised. Nothing is written, nobody is told.", days: "Days", run: "Preview", running: "Playing history…", would: "Last {days} days: {alerts} alerts of {subjects} subjects", current: "Version in force: {alerts} alerts of {subjects}", read: "{rows} readings of {sensors} sensors in {seconds} s", cut: " (cut short)", none_would: "It would have raised nothing.", peak: "Peak", still_on: "still standing", from: "From", until: "Until", subject: "Subject",
  test: "Test", test_more: "Write some readings, and see when it would be raised and when it would clear.", samples: "Readings", samples_hint: "one every {n} s; 8x5: five times 8; _: one missing; 1+2x4: from 1, each 2 more", expected: "Expected", e_raise: "is raised", e_quiet: "is not raised", run_test: "Test", passed: "as expected", failed: "not as expected", raised: "raised from {from}, {until}", cleared: "cleared at {at}", standing: "still standing at the end", quiet: "not raised",
  note: "What was changed, and why", save_new: "Put in force", save: "Save as a new version", switch_on: "Switch on", switch_off: "Switch off", retire: "Retire", retire_sure: "It is asked no more; its versions stay", versions: "Versions", version: "version {n}", by: "{author} · {at}", stale: "Somebody else has changed this rule: close it and open it again.", refused_line: "line {line}", refused_at: "{pointer}", need: "needed", need_number: "give a number", off: "switched off", file: "From {file}; an edit here counts until the file says something else.", admin_only: "Only an administrator may change rules.",
};

export const r = messages<RuleText>(zh, en);
