// Runs the unit tests of the crate, built for wasm32-unknown-unknown, with the drafts' vectors.
//
//   node run_tests.mjs TESTS.wasm VECTORS
//
// A failing test ends in a trap. So that this is known to happen, one digit of one vector is
// changed first.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [program, vectors] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(program));

function runTests(changed) {
  const read = new Set();
  let memory;
  const text = (path) => {
    if (!path.endsWith('.json')) {
      const names = readdirSync(join(vectors, path)).filter((name) => name.endsWith('.json'));
      return names.map((name) => name.slice(0, -'.json'.length)).join('\n');
    }
    read.add(path);
    const octets = readFileSync(join(vectors, path), 'utf8');
    return path === changed ? octets.replace(/("proof": *"[0-9a-f]{300})(.)/, changeDigit) : octets;
  };
  const host = {
    read(path, length, out, room) {
      const name = Buffer.from(memory.buffer, path, length).toString();
      const octets = Buffer.from(text(name));
      if (room > 0) octets.copy(new Uint8Array(memory.buffer, out, room));
      return octets.length;
    },
  };
  const { exports } = new WebAssembly.Instance(module, { vectors: host });
  memory = exports.memory;
  exports.main(0, 0);
  return read.size;
}

function changeDigit(_, before, digit) {
  return before + (digit === '0' ? '1' : '0');
}

function traps(run) {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return true;
    throw error;
  }
}

if (!traps(() => runTests('blind/bls12-381-sha-256/proof/proof001.json'))) {
  console.error('a changed vector was not noticed');
  process.exit(1);
}
console.log('control: a changed vector is noticed');
const read = runTests(null);
console.log(`unit tests passed in wasm, ${read} vector files read`);
process.exit(read >= 40 ? 0 : 1);
