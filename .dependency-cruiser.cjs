// Imports point one way. Each folder of src/ lists the folders it may import;
// everything that is not listed is refused. Tests beside the code may import
// anything, because a test composes what it needs.

const CORE = ["base", "wire", "link", "ip", "udp", "tcp", "host", "sockets"];
const AROUND_TCP = ["base", "kernel", "wire", "link", "ip", "host", "sockets"];
const TEST_FILE = "[.](test|bench)[.]ts$";

/** What each folder may import, besides itself. */
const LAYERS = {
  base: [],
  kernel: ["base"],
  wire: ["base"],
  link: ["base", "wire"],
  ip: ["base", "wire", "link"],
  udp: ["base", "wire"],
  tcp: ["base", "wire"],
  // The host composes: it alone brings the memory kernel and loopback in.
  host: ["base", "kernel", "wire", "link", "ip", "udp", "tcp", "devices/loopback"],
  sockets: ["base", "wire", "link", "ip", "udp", "tcp", "host"],
  services: CORE,
  // These know the device contract and the host, never TCP's insides.
  devices: ["base", "wire", "link", "ip", "host"],
  // The gateway carries connections that TCP holds for it.
  network: [...AROUND_TCP, "tcp", "udp", "services", "devices"],
  sim: [...AROUND_TCP, "services", "devices", "network", "trace"],
  trace: CORE,
  scenarios: [...CORE, "kernel", "services", "devices", "network", "sim", "trace"],
  adapters: [...CORE, "services", "devices", "network", "trace"],
  packetdrill: [...CORE, "kernel", "services", "devices", "network", "sim", "trace"],
};

const layerRules = Object.entries(LAYERS).map(([folder, allowed]) => ({
  name: `layer-${folder}`,
  comment: `${folder}/ imports only: ${[folder, ...allowed].join(", ")}`,
  severity: "error",
  from: { path: `^src/${folder}/`, pathNot: TEST_FILE },
  to: { path: "^src/", pathNot: [folder, ...allowed].map((name) => `^src/${name}(/|[.]ts$)`) },
}));

const NODE_ALLOWED = [
  "^src/adapters/node",
  "^src/devices/tap",
  "^src/network/gateway",
  "^src/cli/",
  TEST_FILE,
];

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: "no-cycles",
      comment:
        "No file imports itself by a detour. Types may point both ways inside a folder: they are gone at run time, and the layers forbid it between folders.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "node-only-at-the-edge",
      comment: "The stack runs wherever JavaScript runs: node: imports only in a few folders.",
      severity: "error",
      from: { path: "^src/", pathNot: NODE_ALLOWED },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "entry-runs-in-a-browser",
      comment: "Nothing the entry point reaches may need Node.",
      severity: "error",
      from: { path: "^src/index[.]ts$" },
      to: {
        path: ["^src/adapters/node", "^src/devices/tap", "^src/network/gateway", "^src/cli/"],
        reachable: true,
      },
    },
    {
      name: "stack-has-no-dependency",
      comment: "The stack itself is ours: libraries only around it.",
      severity: "error",
      from: {
        path: `^src/(index[.]ts$|(${[...CORE, "kernel", "devices", "network", "sim"].join("|")})/)`,
        pathNot: [TEST_FILE, "^src/devices/tap"],
      },
      to: { dependencyTypes: ["npm", "npm-dev", "npm-optional", "npm-peer"] },
    },
    {
      name: "koffi-only-for-tap",
      comment: "koffi is optional: only fullduplex/tap loads it.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/devices/tap", TEST_FILE] },
      to: { path: "node_modules/koffi" },
    },
    {
      name: "no-dev-dependency-in-the-package",
      severity: "error",
      from: { path: "^src/", pathNot: TEST_FILE },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-unlisted-package",
      severity: "error",
      from: {},
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "no-missing-file",
      // A package that imports itself by name finds its dist/, which may not be built yet.
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^fullduplex(/|$)" },
    },
    {
      name: "no-code-from-tests",
      comment: "Nothing that ships imports a test or a test's helper.",
      severity: "error",
      from: { path: "^src/", pathNot: TEST_FILE },
      to: { path: ["^(test|bench|examples|scripts)/", TEST_FILE] },
    },
  ],
  options: {
    doNotFollow: { path: ["node_modules", "^dist/"] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".tsx", ".js", ".cjs", ".mjs", ".json"],
    },
  },
};
