// Times the holder's operations in wasm: medians of interleaved rounds.   node run.mjs FILE.wasm
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const ROUNDS = 15;
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const { prepare, first_issuance, renewal, sign_up, sign_up_with_age, sign_in } = instance.exports;
const cases = { first_issuance, renewal, sign_up, sign_up_with_age, sign_in };

const began = performance.now();
prepare();
console.log(`generators and one certificate: ${(performance.now() - began).toFixed(0)} ms, once`);

const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
const octets = {};
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const start = performance.now();
    octets[name] = run();
    times[name].push(performance.now() - start);
  }
}
console.log('| prove in wasm (Node) | ms | octets |\n|---|---|---|');
for (const [name, all] of Object.entries(times)) {
  const median = all.sort((a, b) => a - b)[ROUNDS >> 1];
  console.log(`| ${name.replaceAll('_', ' ')} | ${median.toFixed(1)} | ${octets[name]} |`);
}
