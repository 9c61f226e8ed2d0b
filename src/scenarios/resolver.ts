import { serveDnsTcp, serveDnsUdp } from "../services/dns-server.ts";
import { DnsZone, type ZoneEntry } from "../services/dns-zone.ts";
import { hostResolver } from "../services/host-resolver.ts";
import { DNS_A } from "../wire/dns-constants.ts";
import type { Scenario } from "./scenario.ts";

const ENTRIES: ZoneEntry[] = [
  { name: "server", type: "A", address: "10.0.0.2" },
  ...Array.from({ length: 100 }, (_, i): ZoneEntry => {
    return { name: "many", type: "A", address: `10.9.0.${i + 1}` };
  }),
];

export const resolver: Scenario = {
  name: "resolver",
  title: { en: "From a name to a connection", ko: "이름에서 연결까지 (DNS)" },
  summary: {
    en: "connect() is given a name. A question goes out over UDP, the answer brings an address, then the handshake begins. An answer too long for a datagram is cut off and says so, and is asked for again over TCP.",
    ko: "connect()에 이름을 준다. 질문이 UDP로 나가고, 답이 주소를 가져오면 핸드셰이크가 시작된다. 데이터그램에 들어가지 않는 긴 답은 잘렸다고 표시되어 오고, TCP로 다시 묻는다.",
  },
  async play(theatre) {
    await theatre.act(
      { en: "A name, then an answer that does not fit", ko: "이름 하나, 그리고 너무 긴 답" },
      async (stage) => {
        const { client, server } = stage.pair();
        const zones = [new DnsZone("example", ENTRIES)];
        const udp = await server.udp({ port: 53, family: 4 });
        const dnsListener = await server.listen({ port: 53, isn: 9000 });
        const serving = [serveDnsUdp(zones, udp), serveDnsTcp(zones, dnsListener)];
        const names = hostResolver(client, { nameservers: ["10.0.0.2"] });
        client.resolver = names;
        const listener = await server.listen({ port: 80, isn: 2000 });
        stage.say(
          'The application calls connect("server.example", 80). TCP knows no names: the resolver asks the name server, one UDP datagram there and one back. A lost one would be asked again after a timeout, by the resolver, not by UDP.',
          '응용 프로그램이 connect("server.example", 80)을 부른다. TCP는 이름을 모른다. 리졸버가 이름 서버에 묻는다. UDP 데이터그램 하나가 가고 하나가 온다. 사라지면 UDP가 아니라 리졸버가 시간 초과 뒤에 다시 묻는다.',
        );
        const connection = await stage.until(
          client.connect({
            host: "server.example",
            port: 80,
            family: 4,
            localPort: 40_000,
            isn: 1000,
          }),
        );
        await stage.until(listener.accept());
        stage.say(
          `The answer is ${connection.remoteAddress}, and the handshake follows. Whoever connects by name waits for two round trips, not one.`,
          `답은 ${connection.remoteAddress}이고, 핸드셰이크가 이어진다. 이름으로 연결하면 왕복 한 번이 아니라 두 번을 기다린다.`,
        );
        const many = await stage.until(names.resolve("many.example", DNS_A));
        stage.say(
          `Another name has ${many.length} addresses. They do not fit: the answer comes with the TC bit, truncated. The resolver connects to port 53 over TCP and asks the same question again; there each message has its length in front (RFC 7766).`,
          `다른 이름에는 주소가 ${many.length}개 있다. 한 데이터그램에 들어가지 않으므로, 답은 잘렸다는 TC 비트를 달고 온다. 리졸버는 53번 포트에 TCP로 연결해 같은 질문을 다시 한다. TCP에서는 메시지마다 앞에 길이가 붙는다(RFC 7766).`,
        );
        udp.close();
        dnsListener.close();
        await stage.wait(50);
        await stage.until(Promise.all(serving));
        const lines = stage.lines({ protocols: ["dns", "udp"] });
        theatre.note("remoteAddress", connection.remoteAddress);
        theatre.note("addresses", many.length);
        theatre.note("datagrams", lines.length);
        theatre.note(
          "connectionsToPort53",
          stage.lines().filter((line) => line.startsWith("client > server SYN seq")).length - 1,
        );
      },
      { limit: 40 },
    );
  },
};
