/** The citizens' first page. It works without an account, on a small screen, and by keyboard. */
import { useEffect, useMemo, useState } from "react";
import type { components } from "./schema";
import { firstLanguage, remember, speaker } from "./words";

type Territory = components["schemas"]["PublicTerritory"];

const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export function Portal() {
  const [language, setLanguage] = useState(firstLanguage);
  const [territory, setTerritory] = useState<Territory | "failed" | null>(null);
  const [tries, setTries] = useState(0);
  const say = useMemo(() => speaker(language), [language]);

  useEffect(() => {
    const leave = new AbortController();
    fetch("/public/v1/territory", { signal: leave.signal })
      .then(async (answer) => setTerritory(answer.ok ? ((await answer.json()) as Territory) : "failed"))
      .catch(() => leave.signal.aborted || setTerritory("failed"));
    return () => leave.abort();
  }, [tries]);

  const name = territory && territory !== "failed" ? territory.name : "Vigie";
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = name;
  }, [language, name]);

  const other = language === "fr" ? "en" : "fr";
  const change = () => {
    remember(other);
    setLanguage(other);
  };

  return (
    <>
      <a className="skip" href="#content">{say("skip")}</a>
      <header>
        <strong>{name}</strong>
        <button type="button" lang={other} onClick={change}>{say("otherLanguage")}</button>
      </header>
      <main id="content" tabIndex={-1}>
        {territory === null && <p role="status">{say("waiting")}</p>}
        {territory === "failed" && (
          <p role="alert">
            {say("failed")} <button type="button" onClick={() => setTries(tries + 1)}>{say("again")}</button>
          </p>
        )}
        {territory && territory !== "failed" && <Welcome territory={territory} say={say} language={language} />}
      </main>
      <footer>
        <a href="/public/v1/openapi.json">{say("api")}</a>
        {territory && territory !== "failed" && <small>{territory.attribution}</small>}
      </footer>
    </>
  );
}

function Welcome({ territory, say, language }: { territory: Territory; say: ReturnType<typeof speaker>; language: string }) {
  const [sought, setSought] = useState("");
  const found = territory.municipalities
    .filter((municipality) => plain(municipality.name).includes(plain(sought.trim())))
    .sort((a, b) => a.name.localeCompare(b.name, language));
  return (
    <>
      <h1>{say("title", { name: territory.name })}</h1>
      <p>{say("lead", { count: territory.municipalities.length })}</p>
      {territory.synthetic && <p className="note">{say("synthetic")}</p>}
      <h2 id="municipalities">{say("municipalities")}</h2>
      <label>
        {say("find")}
        <input type="search" value={sought} onChange={(event) => setSought(event.target.value)} autoComplete="off" />
      </label>
      {found.length === 0 && <p role="status">{say("none")}</p>}
      <ul aria-labelledby="municipalities">{found.map(({ insee, name }) => <li key={insee}>{name}</li>)}</ul>
    </>
  );
}
