import { useState } from "preact/hooks";
import { type Word, useWords } from "../language.ts";
import type { NodeKind, Setup } from "./setup.ts";

const KINDS: readonly (readonly [NodeKind, Word])[] = [
  ["host", "addHost"],
  ["switch", "addSwitch"],
  ["router", "addRouter"],
];

/** Adds and removes hosts, cables and connections; the network starts anew with them. */
export function Builder({ setup, use }: { setup: Setup; use(setup: Setup): void }) {
  const { t } = useWords();
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const names = setup.nodes.map((n) => n.name);
  const a = names.includes(from) ? from : names[0];
  const b = names.includes(to) ? to : names[names.length - 1];
  const isHost = (name: string) => setup.nodes.some((n) => n.name === name && n.kind !== "switch");
  const addNode = (kind: NodeKind) => {
    let number = 1;
    while (names.includes(kind + number)) number++;
    const at = setup.nodes.length;
    const node = { name: kind + number, kind, x: 12 + ((at * 29) % 78), y: 8 + ((at * 17) % 46) };
    use({ ...setup, nodes: [...setup.nodes, node] });
  };
  const removeNode = (name: string) =>
    use({
      ...setup,
      nodes: setup.nodes.filter((n) => n.name !== name),
      cables: setup.cables.filter((c) => c.a !== name && c.b !== name),
      flows: setup.flows.filter((f) => f.from !== name && f.to !== name),
    });
  const picker = (label: string, value: string, set: (name: string) => void) => (
    <label>
      {label}
      <select value={value} onChange={(e) => set(e.currentTarget.value)}>
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
  return (
    <div class="builder">
      <div class="row">
        {KINDS.map(([kind, word]) => (
          <button type="button" key={kind} data-add={kind} onClick={() => addNode(kind)}>
            + {t(word)}
          </button>
        ))}
      </div>
      <div class="row">
        {picker(t("from"), a, setFrom)}
        {picker(t("to"), b, setTo)}
        <button
          type="button"
          disabled={
            a === b || setup.cables.some((c) => [c.a, c.b].includes(a) && [c.a, c.b].includes(b))
          }
          onClick={() =>
            use({
              ...setup,
              cables: [...setup.cables, { a, b, mbit: 10, delayMs: 10, loss: 0, queue: 50 }],
            })
          }
        >
          + {t("addCable")}
        </button>
        <button
          type="button"
          disabled={a === b || !isHost(a) || !isHost(b)}
          onClick={() =>
            use({
              ...setup,
              flows: [
                ...setup.flows,
                { from: a, to: b, control: "cubic", stream: true, reading: true },
              ],
            })
          }
        >
          + {t("flows")}
        </button>
      </div>
      <ul class="row chips">
        {setup.nodes.map((node) => (
          <li key={node.name}>
            {node.name}{" "}
            <button
              type="button"
              aria-label={`${t("remove")} ${node.name}`}
              onClick={() => removeNode(node.name)}
            >
              ×
            </button>
          </li>
        ))}
        {setup.flows.map((flow, i) => (
          <li key={`flow${i}`}>
            {flow.from} → {flow.to}{" "}
            <button
              type="button"
              aria-label={`${t("remove")} ${flow.from} → ${flow.to}`}
              onClick={() => use({ ...setup, flows: setup.flows.filter((f) => f !== flow) })}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
