// Times the holder's operations in wasm and prints them as JSON: medians of interleaved rounds.
//   node run.mjs FILE.wasm
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const ROUNDS = 31;
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const { prepare, first_issuance, renewal, sign_up, sign_up_with_age, sign_in } = instance.exports;
const cases = { first_issuance, renewal, sign_up, sign_up_with_age, sign_in };

const began = performance.now();
prepare();
const once_ms = performance.now() - began;

const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
const octets = {};
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const start = performance.now();
    octets[name] = run();
    times[name].push(performance.now() - start);
  }
}
const median = (all) => all.sort((a, b) => a - b)[ROUNDS >> 1];
const measured = (name) => ({ name, ms: median(times[name]), octets: octets[name] });
const proofs = Object.keys(cases).map(measured);
console.log(JSON.stringify({ node: process.version, rounds: ROUNDS, once_ms, proofs }));
