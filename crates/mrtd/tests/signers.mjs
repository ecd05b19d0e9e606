// node signers.mjs FOLDER
//
// Prints the mock document signers, with their keys, and the mock authorities of the package
// @selfxyz/common, which is unpacked in FOLDER, as one JSON object.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const constants = resolve(process.argv[2], "dist/esm/src/constants");
const load = (name) => import(pathToFileURL(`${constants}/${name}.js`));

const all = await load("mockCertificates");
const { SKI_PEM_DEV } = await load("skiPem");
const signers = Object.keys(all)
  .filter((name) => !name.endsWith("_key"))
  .map((name) => ({ name, certificate: all[name], key: all[`${name}_key`] }));
console.log(JSON.stringify({ signers, authorities: Object.values(SKI_PEM_DEV) }));
