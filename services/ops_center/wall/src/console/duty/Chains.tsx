import { get } from "../../api";
import type { Answer } from "../paging";
import { Sheet } from "../Sheet";
import { useOne } from "../task";
import type { Person } from "./Duty";
import { d } from "./texts";

type Step =
  | { kind: "notify"; targets: { kind: string; id: string }[] }
  | { kind: "wait"; minutes: number }
  | { kind: "repeat"; times: number };

interface Chain {
  chain_id: string;
  name: string;
  steps: Step[];
}

/** Who is called one after the other, and who cannot be. */
export function Chains({ people, rosters }: { people: readonly Person[]; rosters: readonly { roster_id: string; name: string }[] }) {
  const chains = useOne<Answer<Chain>>((signal) => get("/v1/chains", {}, signal), []);
  const nameOf = ({ id }: { id: string }): string =>
    rosters.find((one) => one.roster_id === id)?.name ?? people.find((one) => one.person_id === id)?.name ?? id;
  return (
    <Sheet id="chains" title={d("chains")} more="">
      {(chains.value.value?.items ?? []).map((chain) => (
        <p key={chain.chain_id} class="chain">
          <b>{chain.name}</b>
          {chain.steps.map((step, place) => <span key={place}>{words(step, nameOf)}</span>)}
        </p>
      ))}
      <h3 class="sub">{d("people")}</h3>
      <ul class="people">
        {people.map((one) => (
          <li key={one.person_id}><b>{one.name}</b> <small class={one.contacts.length === 0 ? "late" : ""}>
            {one.contacts.length === 0 ? d("no_contacts") : `${d("contacts")} ${one.contacts.length}`}</small></li>
        ))}
      </ul>
    </Sheet>
  );
}

function words(step: Step, nameOf: (target: { id: string }) => string): string {
  switch (step.kind) {
    case "notify":
      return d("step_notify", { who: step.targets.map(nameOf).join("、") });
    case "wait":
      return d("step_wait", { n: step.minutes });
    case "repeat":
      return d("step_repeat", { n: step.times });
  }
}
