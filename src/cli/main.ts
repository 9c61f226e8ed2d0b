import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { Failure, sentence } from "./failure.ts";
import { collect, type HostFlags, hostOptions, integer } from "./host-options.ts";

const { version } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as { version: string };

const program = new Command("fullduplex")
  .description("A complete TCP/IP stack in user space, and tools around it")
  .version(version)
  .showHelpAfterError("(fullduplex COMMAND --help tells more)");

program
  .command("start")
  .description("boot a small LAN in this process and publish its web server on this machine")
  .option("--port <number>", "port on this machine", integer, 8080)
  .option("--bind <address>", "address on this machine", "127.0.0.1")
  .option("--dir <folder>", "the files to serve", ".")
  .option("--loss <share>", "share of frames lost on the client's cable", Number)
  .option("--seed <number>", "make random numbers reproducible", integer)
  .option("--inspect [port]", "where the live view is served (default: a free port)", integer)
  .option("--no-inspect", "no live view")
  .option("--quiet", "no line per request")
  .action(async (flags) => (await import("./start.ts")).start(flags));

program
  .command("demo")
  .description("fetch a file across the virtual LAN with 2 % loss, once, and show what happened")
  .option("--loss <share>", "share of frames lost", Number, 0.02)
  .option("--size <bytes>", "size of the file", integer, 4_000_000)
  .option("--seed <number>", "another run of chance", integer, 1)
  .action(async (flags) => (await import("./demo.ts")).demo(flags));

hostOptions(
  program.command("up").description("put a host with services on a TAP device (Linux, root)"),
)
  .option(
    "--serve <service>",
    "http:80=DIR, echo:7, discard:9, chargen:19; repeatable",
    collect,
    [],
  )
  .option(
    "--publish <ports>",
    "8080:ADDRESS:80, a port of this machine carried inside; repeatable",
    collect,
    [],
  )
  .option("--inspect [port]", "serve a live view of this host on this machine", integer)
  .option("--json", "status as JSON lines")
  .option("--quiet", "only errors")
  .action(async (flags) => (await import("./up.ts")).up(flags));

hostOptions(program.command("get").argument("<url>").description("fetch a file over HTTP"))
  .option("-o, --output <file>", "where to put it; - is standard output (default: its name)")
  .action(async (url: string, flags: HostFlags & { output?: string }) =>
    (await import("./get.ts")).get(url, flags),
  );

hostOptions(
  program
    .command("nc")
    .argument("[host]")
    .argument("[port]")
    .description("carry standard input and output over a connection"),
)
  .option("-l, --listen", "wait for a connection at PORT instead")
  .option("-u, --udp", "datagrams")
  .action(async (host: string, port: string, flags) =>
    (await import("./nc.ts")).nc(host, port, flags),
  );

hostOptions(program.command("ping").argument("<host>").description("ask a host for an echo"))
  .option("-c, --count <number>", "how often", integer, 4)
  .option("-i, --interval <seconds>", "how long between", Number, 1)
  .option("-s, --size <bytes>", "payload", integer, 56)
  .option("-W, --timeout <seconds>", "how long to wait for each answer", Number, 2)
  .action(async (host: string, flags) => (await import("./ping.ts")).ping(host, flags));

hostOptions(program.command("resolve").argument("<name>").description("look a name up"))
  .option("-t, --type <type>", "A, AAAA, CNAME, PTR, SRV, TXT", "any")
  .action(async (name: string, flags) => (await import("./resolve.ts")).resolve(name, flags));

program
  .command("scenario")
  .argument("<name>", '"list", or one of its names')
  .description("play a worked example of the textbook on the real stack, in virtual time")
  .option("--ladder", "the ladder diagram in the terminal (default)")
  .option("--no-narration", "packets alone")
  .option("--svg <file>", "the ladder as a picture, one file for each act")
  .option("--pcapng <file>", "the packets for Wireshark, one file for each act")
  .option("--json", "values, steps and trace events as JSON lines")
  .option("--lang <language>", "en or ko", "en")
  .option("--set <setting>", "loss=0.05; repeatable", collect, [])
  .option("--seed <number>", "another run of chance", integer, 1)
  .action(async (name: string, flags) => (await import("./scenario.ts")).scenario(name, flags));

program
  .command("trace")
  .argument("<file>", "pcapng, pcap, or an exported trace (.jsonl)")
  .description("summary, ladder and plots of a capture, of this stack or any other")
  .option("--ladder", "the packets as a ladder diagram")
  .option("--svg <file>", "the ladder as a picture")
  .option("--plots <folder>", "time-sequence, window and round-trip plots as SVG")
  .option("--relative", "sequence numbers from each connection's first")
  .option("--options <which>", "TCP options shown: none, syn, all", "syn")
  .option("--port <number>", "only packets of this port", integer)
  .option("--limit <number>", "most packets in the ladder, and connections", integer, 200)
  .action(async (file: string, flags) => (await import("./trace.ts")).trace(file, flags));

program
  .command("packetdrill")
  .description("run packetdrill scripts against the stack")
  .allowUnknownOption()
  .helpOption(false)
  .argument("[arguments...]")
  .action(async () => {
    const { packetdrill } = await import("./packetdrill.ts");
    const rest = process.argv.slice(process.argv.indexOf("packetdrill") + 1);
    process.exitCode = await packetdrill(rest);
  });

program.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode;
  } else {
    process.stderr.write(`fullduplex: ${sentence(error)}\n`);
    if (!(error instanceof Failure) && process.env["FULLDUPLEX_DEBUG"]) console.error(error);
    process.exitCode = 1;
  }
}
