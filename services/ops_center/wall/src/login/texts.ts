import { messages } from "../i18n";

const zh = {
  product: "一网", title: "城市运行一网统管", page: "事件处置台",
  username: "用户名", password: "密码", enter: "登录", entering: "正在登录…",
  show: "显示密码", hide: "隐藏密码",
  expired: "登录已过期，请重新登录，手头的内容会保留。",
  wrong: "用户名或密码不正确。",
  throttled: "失败次数过多，请稍后再试。",
  asking: "正在连接服务器…", unreachable: "服务器没有响应，正在重试…",
  first_login: "首次启动时生成的登录名与密码保存在数据目录的 credentials.json 中。",
  language: "English",
  elsewhere: "用统一身份认证登录",
  renew: "这是他人给您的一次性密码，请先设置自己的密码。", given_password: "一次性密码", new_password: "新密码（至少 10 个字符）",
  again: "再输入一次新密码", change: "设置并进入", leave: "退出", too_short: "新密码至少 10 个字符。", differ: "两次输入的新密码不一致。",
};

const en: Record<keyof typeof zh, string> = {
  product: "Yiwang", title: "One network for the whole city", page: "Incident console",
  username: "User name", password: "Password", enter: "Log in", entering: "Logging in…",
  show: "Show password", hide: "Hide password",
  expired: "Your session has ended. Log in again; what you were doing is kept.",
  wrong: "User name or password is wrong.",
  throttled: "Too many failed attempts; try again later.",
  asking: "Connecting to the server…", unreachable: "The server does not answer; trying again…",
  first_login: "The first start writes its login to credentials.json in the data directory.",
  language: "中文",
  elsewhere: "Log in with the city's own account",
  renew: "Somebody gave you this password: choose one of your own first.", given_password: "The password you were given", new_password: "New password (10 characters or more)",
  again: "The new password once more", change: "Set it and go in", leave: "Log out", too_short: "The new password needs 10 characters or more.", differ: "The two new passwords differ.",
};

export const t = messages<keyof typeof zh>(zh, en);
