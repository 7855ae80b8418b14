// Holds our delta code (the filter delta_tool) against npm's fossil-delta, in both directions:
//   node delta_referee.mjs DELTA_TOOL PAIRS SEED
// Prints what it compared, as JSON; the first disagreement ends it with its inputs.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { applyDelta, createDelta } from "fossil-delta";

const [tool, pairs, seed] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];

// Deterministic: a linear congruential generator, the high bits.
let state = BigInt(seed);
const below = (bound) => {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
  return Number((state >> 33n) % BigInt(bound));
};
const pick = (list) => list[below(list.length)];

const WORDS = ["price", "κόσμε", "日本語", "name", "🙂🙃", "x", "ABCDEFGH", "ünïcödé", "\\n", "null"];
const json = (members) => {
  const value = {};
  for (let i = 0; i < members; ++i) value[pick(WORDS) + below(30)] = below(2) ? below(1e6) / 100 : pick(WORDS) + pick(WORDS);
  return Buffer.from(JSON.stringify(value));
};
const bytes = (size, letters) => Buffer.from(Array.from({ length: size }, () => below(letters)));

const changed = (source) => {
  // By characters, so that text stays text.
  const text = [...source.toString()];
  for (let changes = 1 + below(5); changes > 0; --changes) {
    const from = below(text.length + 1);
    const some = text.slice(from, from + below(100));
    const where = below(text.length + 1);
    const kind = below(4);
    if (kind === 0) text.splice(from, some.length, ...pick(WORDS));
    else if (kind === 1) text.splice(from, some.length);
    else if (kind === 2) text.splice(where, 0, ...some);
    else text.splice(from, 0, ...String(below(1e6)));
  }
  return Buffer.from(text.join(""));
};
const damaged = (delta) => {
  const out = [...delta];
  for (let changes = 1 + below(3); changes > 0; --changes) {
    const at = below(out.length + 1);
    const kind = below(4);
    if (kind === 0) out[Math.min(at, out.length - 1)] = pick([...Buffer.from("0123zZ~:;@,\n")]);
    else if (kind === 1) out.splice(at, 1 + below(4));
    else if (kind === 2) out.splice(at, 0, below(256));
    else out.splice(at, 0, ...out.slice(below(out.length), below(out.length)));
  }
  return Buffer.from(out);
};

// All records in one run of the tool.
const ask = (records) => {
  const size = (n) => { const out = Buffer.alloc(4); out.writeUInt32LE(n); return out; };
  const input = Buffer.concat(records.flatMap(([what, a, b]) => [Buffer.from(what), size(a.length), size(b.length), a, b]));
  const run = spawnSync(tool, { input, maxBuffer: 1 << 30 });
  if (run.status !== 0) throw new Error(`${tool} ended with ${run.status ?? run.signal ?? run.error}`);
  const answers = [];
  for (let at = 0; at < run.stdout.length;) {
    const end = at + 5 + run.stdout.readUInt32LE(at + 1);
    answers.push({ verdict: run.stdout[at], bytes: run.stdout.subarray(at + 5, end) });
    at = end;
  }
  if (answers.length !== records.length) throw new Error(`${answers.length} answers to ${records.length} records`);
  return answers;
};
const applied = (source, delta) => {
  try {
    return Buffer.from(applyDelta(source, delta));
  } catch {
    return null;
  }
};
const fail = (what, ...inputs) => {
  console.error(what, ...inputs.map((each) => JSON.stringify(each.toString("latin1"))));
  process.exit(1);
};

const cases = [];
for (let i = 0; i < pairs; ++i) {
  if (i % 4 === 3) {
    const source = bytes(below(400), pick([2, 256]));
    cases.push([source, Buffer.concat([source.subarray(below(source.length + 1)), bytes(below(200), 256), source])]);
  } else {
    const source = json(below(60));
    cases.push([source, i % 4 === 2 ? json(below(60)) : changed(source)]);
  }
}
const isText = (buffer) => Buffer.from(buffer.toString()).equals(buffer);
const totals = { pairs, ours: 0, ours_text: 0, theirs: 0, targets: 0, damaged: 0, damaged_taken: 0, stricter: 0 };

// What we make, they apply; as they get it in a JSON string too.
const made = ask(cases.map(([source, target]) => ["m", source, target]));
const text = ask(cases.map(([source, target]) => ["u", source, target]));
cases.forEach(([source, target], i) => {
  if (!applied(source, made[i].bytes)?.equals(target)) fail("they do not take", source, target, made[i].bytes);
  totals.ours += made[i].bytes.length;
  totals.targets += target.length;
  if (!isText(target)) return;
  const carried = Buffer.from(JSON.parse(JSON.stringify(text[i].bytes.toString())));
  if (!applied(source, carried)?.equals(target)) fail("they do not take as text", source, target, text[i].bytes);
});

// What they make, we apply.
const theirs = cases.map(([source, target]) => Buffer.from(createDelta(source, target)));
ask(cases.map(([source], i) => ["a", source, theirs[i]])).forEach((answer, i) => {
  if (answer.verdict !== 0 || !answer.bytes.equals(cases[i][1])) fail("we do not take", ...cases[i], theirs[i]);
  totals.theirs += theirs[i].length;
  totals.ours_text += text[i].bytes.length;
});

// Damaged ones: what we take they take alike; what only they take breaks a rule that we alone have (verdict 1: a number without
// digits, something after the end; verdict 2: more than 32 bits).
const broken = cases.map((_, i) => damaged(i % 2 ? theirs[i] : made[i].bytes));
ask(cases.map(([source], i) => ["a", source, broken[i]])).forEach((answer, i) => {
  const other = applied(cases[i][0], broken[i]);
  ++totals.damaged;
  if (answer.verdict === 0) {
    ++totals.damaged_taken;
    if (!other?.equals(answer.bytes)) fail("only we take", cases[i][0], broken[i]);
  } else if (other) {
    ++totals.stricter;
    if (answer.verdict > 2) fail(`only they take, our verdict ${answer.verdict}`, cases[i][0], broken[i]);
  }
});
console.log(JSON.stringify(totals));
