import "./login.css";

import { useEffect, useState } from "preact/hooks";

import { ApiError, get } from "../api";
import { language, setLanguage } from "../i18n";
import { nextPage } from "./next";
import { Renewal } from "./Renewal";
import { logIn, standing, trouble } from "./session";
import { t } from "./texts";
import { inWords } from "./wording";

/** The form that lets a person in; also what is shown before the server has answered. */
export function Login() {
  return (
    <main class="login">
      <div class="login-card">
        <header>
          <span class="mark">{t("product")}</span>
          <div>
            <h1>{t("page")}</h1>
            <p>{t("title")}</p>
          </div>
        </header>
        {standing.value === "asking" ? <Asking /> : standing.value === "renewing" ? <Renewal /> : <Form />}
      </div>
      <button type="button" class="login-language"
        onClick={() => setLanguage(language.value === "zh" ? "en" : "zh")}>{t("language")}</button>
    </main>
  );
}

function Asking() {
  return <p class="login-asking" role="status">{t(trouble.value === null ? "asking" : "unreachable")}</p>;
}

function Form() {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [visible, setVisible] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await logIn(username.trim(), password);
      const next = nextPage(location.search, location.origin);
      if (next !== null) location.assign(next);
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form data-testid="login-form" onSubmit={(event) => void submit(event)}>
      {standing.value === "expired" && <p class="login-note">{t("expired")}</p>}
      <label for="login-username">{t("username")}</label>
      <input id="login-username" data-testid="login-username" name="username" autocomplete="username"
        autocapitalize="none" spellcheck={false} required maxLength={64} autofocus
        value={username} onInput={(event) => setUsername(event.currentTarget.value)} />
      <label for="login-password">{t("password")}</label>
      <div class="login-secret">
        <input id="login-password" data-testid="login-password" name="password" required maxLength={256}
          type={visible ? "text" : "password"} autocomplete="current-password"
          value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
        <button type="button" aria-pressed={visible} onClick={() => setVisible(!visible)}>
          {t(visible ? "hide" : "show")}
        </button>
      </div>
      {failure !== null && (
        <p class="login-failure" role="alert" data-testid="login-failure">{words(failure)}</p>
      )}
      <button type="submit" class="login-enter" data-testid="login-enter" disabled={busy}>
        {t(busy ? "entering" : "enter")}
      </button>
      <Elsewhere />
      <p class="login-hint">{t("first_login")}</p>
    </form>
  );
}

/** The way in by the city's own login, where there is one. */
function Elsewhere() {
  const [enabled, setEnabled] = useState(false);
  useEffect(() => {
    get<{ enabled: boolean }>("/v1/oidc").then((found) => setEnabled(found.enabled), () => undefined);
  }, []);
  if (!enabled) return null;
  const back = nextPage(location.search, location.origin) ?? "/console";
  return <a class="login-elsewhere" data-testid="login-oidc" href={`/v1/oidc/login?next=${encodeURIComponent(back)}`}>{t("elsewhere")}</a>;
}

function words(failure: unknown): string {
  if (failure instanceof ApiError && failure.status === 401) return t("wrong");
  if (failure instanceof ApiError && failure.status === 429) return `${t("throttled")} ${failure.detail}`;
  return inWords(failure);
}
