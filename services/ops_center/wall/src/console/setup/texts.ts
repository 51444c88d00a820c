/** Texts of what administrators set up: keys, users, audit, registry, rules, delivery, quarantine. */

import { messages } from "../../i18n";

const zh = {
  created: "创建", changed: "更新", every: "不限", more_cols: "", edit: "编辑", nobody: "没有内容",
  d_traffic: "交通", d_environment: "环境", d_utilities: "市政", d_platform: "平台", domains: "领域", areas: "区域", metrics: "指标",

  keys: "接口密钥", keys_more: "外部系统凭密钥上报读数；权限、范围与配额都可限定。", key_new: "新建密钥", key_name: "名称", scopes: "权限", confined: "范围", quota: "配额", used: "最近使用", state: "状态",
  s_post: "上报读数", s_register: "登记感知点", s_backfill: "补报历史", s_correct: "更正读数", s_mend: "修正隔离项", s_report: "登记上报",
  rps: "每秒读数", bps: "每秒字节", rps_hint: "空：用系统默认；0：不限", quota_default: "默认", unlimited: "不限", per_second: "{n} 条/秒", bytes_second: "{n}/秒",
  expires: "到期时间", never: "不过期", active: "有效", expired: "已过期", revoked: "已吊销", rotate: "轮换", rotate_sure: "旧令牌 24 小时后失效", revoke: "吊销", revoke_sure: "吊销后不可恢复",
  key_made: "密钥「{name}」的令牌", show_revoked: "含已吊销", key_edit: "编辑密钥", unused: "未使用",

  users: "用户", users_more: "账号及其在何处、何领域的角色。", user_new: "新建用户", username: "用户名", display_name: "姓名", roles: "角色", role: "角色", where: "区域", what: "领域", add_grant: "再加一个角色", department: "承办部门", department_hint: "可处置派给该部门的案件，登录手机任务页即见", no_department: "无", drop: "移除",
  whole_city: "全市", every_domain: "全部领域", r_viewer: "只读", r_operator: "值班员", r_dispatcher: "调度员", r_admin: "管理员",
  one_time: "{name} 的一次性密码（{until} 前有效，首次登录须更改）", disable: "停用", disable_sure: "停用并结束其全部会话？", enable: "启用", reset: "重置密码", reset_sure: "其会话将全部结束",
  disabled: "已停用", must_change: "待改密码", in_use: "正常", no_role: "没有角色", sign_in: "登录方式", by_password: "密码", by_oidc: "统一认证", user_edit: "编辑用户", end_sessions: "结束会话", end_sure: "在所有设备上退出？",
  bad_username: "字母、数字或汉字开头，可含 . _ @ -，至多 64 个字符",

  audit: "审计日志", audit_more: "谁在何时对什么做了什么；只增不改。", actor: "操作人", action: "操作", subject: "对象", when: "时间", from_address: "来源", before_after: "变化", filter_actor: "操作人", filter_action: "操作，如 user.", filter_subject: "对象编号", audit_none: "没有符合条件的记录。",

  sensor_new: "新增感知点", sensor_edit: "编辑感知点", sensor_import: "导入", sensor_export: "导出 CSV", sensor_id: "编号", sensor_id_hint: "字母、数字与 . _ : -，至多 64 个字符", sensor_name: "名称", located: "位置", crs: "坐标系", crs_wgs84: "WGS-84", crs_gcj02: "GCJ-02（高德、腾讯）", crs_bd09: "BD-09（百度）",
  need_metric: "至少选择一项指标。", retire: "停用", retire_sure: "停用后不再接收读数，历史保留", revive: "恢复启用", bad_id: "编号不符合要求。",
  import_title: "导入感知点", import_hint: "CSV（UTF-8 或 GB18030）或 GeoJSON；先试运行，看清每一行会怎样，再正式导入。", import_file: "选择文件", import_dry: "试运行", import_go: "正式导入", import_columns: "列：sensor_id（编号）、name（名称）、metrics（指标，分号分隔）、lon（经度）、lat（纬度）、retired（停用）",
  v_create: "新增", v_update: "更新", v_unchanged: "不变", v_refused: "拒绝", row: "行", verdict: "结果", why: "原因", import_done: "已导入", import_nothing: "没有可导入的行",
};

export type SetupText = keyof typeof zh;

const en: Record<SetupText, string> = {
  created: "Created", changed: "Changed", every: "any", more_cols: "", edit: "Edit", nobody: "Nothing here",
  d_traffic: "traffic", d_environment: "environment", d_utilities: "utilities", d_platform: "platform", domains: "Domains", areas: "Areas", metrics: "Metrics",

  keys: "API keys", keys_more: "Other systems post readings with a key; what it may do, where, and how much, can be confined.", key_new: "New key", key_name: "Name", scopes: "Scopes", confined: "Confined to", quota: "Quota", used: "Last used", state: "State",
  s_post: "post readings", s_register: "register sensors", s_backfill: "backfill history", s_correct: "correct readings", s_mend: "mend quarantine", s_report: "enter reports",
  rps: "Readings per second", bps: "Bytes per second", rps_hint: "empty: the installation's default; 0: unlimited", quota_default: "default", unlimited: "unlimited", per_second: "{n} readings/s", bytes_second: "{n}/s",
  expires: "Expires", never: "never", active: "active", expired: "expired", revoked: "revoked", rotate: "Rotate", rotate_sure: "The old token ends in 24 h", revoke: "Revoke", revoke_sure: "For good",
  key_made: "Token of the key “{name}”", show_revoked: "with revoked ones", key_edit: "Edit key", unused: "not yet",

  users: "Users", users_more: "Accounts, and their roles: where, and for which domain.", user_new: "New user", username: "User name", display_name: "Name", roles: "Roles", role: "Role", where: "Area", what: "Domain", add_grant: "Another role", department: "Department", department_hint: "works on what is dispatched to it; its cases are what the task page shows", no_department: "none", drop: "Remove",
  whole_city: "Whole city", every_domain: "every domain", r_viewer: "viewer", r_operator: "operator", r_dispatcher: "dispatcher", r_admin: "administrator",
  one_time: "One-time password of {name} (until {until}; to be changed at the first login)", disable: "Disable", disable_sure: "Disable, and end every session?", enable: "Enable", reset: "Reset password", reset_sure: "Every session ends",
  disabled: "disabled", must_change: "password to be changed", in_use: "in use", no_role: "no role", sign_in: "Logs in by", by_password: "password", by_oidc: "single sign-on", user_edit: "Edit user", end_sessions: "End sessions", end_sure: "Log out everywhere?",
  bad_username: "begins with a letter, digit or Chinese character; may have . _ @ -; 64 characters at most",

  audit: "Audit log", audit_more: "Who did what to what, and when; nothing is ever taken out.", actor: "Who", action: "What", subject: "To what", when: "When", from_address: "From", before_after: "Change", filter_actor: "Who", filter_action: "Action, such as user.", filter_subject: "Id of the thing", audit_none: "Nothing fits.",

  sensor_new: "Add a sensor", sensor_edit: "Edit sensor", sensor_import: "Import", sensor_export: "Export CSV", sensor_id: "Id", sensor_id_hint: "letters, digits and . _ : -, 64 characters at most", sensor_name: "Name", located: "Place", crs: "Coordinates", crs_wgs84: "WGS 84", crs_gcj02: "GCJ-02 (Amap, Tencent)", crs_bd09: "BD-09 (Baidu)",
  need_metric: "Choose at least one metric.", retire: "Retire", retire_sure: "Its readings are refused from then on; its history stays", revive: "Bring back", bad_id: "The id does not meet the rules.",
  import_title: "Import sensors", import_hint: "CSV (UTF-8 or GB18030) or GeoJSON. A dry run says what would become of every row; then import.", import_file: "File", import_dry: "Dry run", import_go: "Import", import_columns: "Columns: sensor_id, name, metrics (separated by semicolons), lon, lat, retired",
  v_create: "create", v_update: "update", v_unchanged: "unchanged", v_refused: "refused", row: "Row", verdict: "Outcome", why: "Why", import_done: "Imported", import_nothing: "Nothing to import",
};

export const s = messages<SetupText>(zh, en);

export function knownSetup(key: string): string {
  return key in zh ? s(key as SetupText) : key;
}
