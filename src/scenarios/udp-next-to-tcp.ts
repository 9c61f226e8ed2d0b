import type { Scenario } from "./scenario.ts";

const COUNT = 40;
const SIZE = 100;

export const udpNextToTcp: Scenario = {
  name: "udp-next-to-tcp",
  title: { en: "UDP next to TCP", ko: "UDP와 TCP를 나란히" },
  summary: {
    en: "The same path, which loses and reorders, carries forty numbered messages twice: as UDP datagrams and as a TCP stream. UDP delivers what comes, when it comes; TCP delivers everything in order, and takes longer.",
    ko: "잃어버리고 순서를 바꾸는 같은 길로 번호를 매긴 메시지 마흔 개를 두 번 보낸다. 한 번은 UDP 데이터그램으로, 한 번은 TCP 스트림으로. UDP는 오는 대로 건네주고, TCP는 모두를 순서대로 건네주는 대신 더 오래 걸린다.",
  },
  settings: {
    loss: { value: 0.1, help: { en: "probability that a packet is lost", ko: "패킷을 잃을 확률" } },
    reorder: {
      value: 0.1,
      help: { en: "probability that a packet is overtaken", ko: "패킷이 추월당할 확률" },
    },
  },
  async play(theatre) {
    const { loss, reorder } = theatre.settings;
    const line = { aToB: { loss, reorder: { packets: reorder, distance: 2, holdMs: 30 } } };
    await theatre.act(
      { en: "UDP", ko: "UDP" },
      async (stage) => {
        const { client, server } = stage.pair(line);
        const receiver = await server.udp({ port: 9000, family: 4 });
        const sender = await client.udp({ family: 4, port: 9001 });
        const numbers: number[] = [];
        let lastUs = 0;
        const reading = (async () => {
          for await (const { data } of receiver) {
            numbers.push(data[0]);
            lastUs = stage.nowUs;
          }
        })();
        for (let i = 0; i < COUNT; i++) {
          await stage.until(
            sender.send(new Uint8Array(SIZE).fill(i), { address: "10.0.0.2", port: 9000 }),
          );
          await stage.wait(2);
        }
        await stage.wait(200);
        receiver.close();
        sender.close();
        await stage.until(reading);
        const missing = COUNT - new Set(numbers).size;
        const late = numbers.filter((n, i) => i > 0 && n < Math.max(...numbers.slice(0, i))).length;
        stage.say(
          `${numbers.length} of ${COUNT} datagrams arrived: ${missing} are missing, ${late} came behind later ones. Nobody repeats or sorts anything; the application hears of no error. For a voice that is right: a word that comes late is of no use.`,
          `데이터그램 ${COUNT}개 가운데 ${numbers.length}개가 도착했다. ${missing}개는 없고, ${late}개는 나중 것보다 뒤에 왔다. 아무도 다시 보내거나 정렬하지 않고, 응용 프로그램은 오류를 듣지 못한다. 음성에는 이것이 맞다. 늦게 온 말은 쓸모가 없다.`,
        );
        theatre.note("udp: received", numbers.length);
        theatre.note("udp: missing", missing);
        theatre.note("udp: out of order", late);
        theatre.note("udp: ms", Math.round(lastUs / 1000));
      },
      { limit: 24 },
    );
    await theatre.act(
      { en: "TCP", ko: "TCP" },
      async (stage) => {
        const { client, server } = stage.pair(line);
        const listener = await server.listen({ port: 80, isn: 2000 });
        const connecting = client.connect({
          host: "10.0.0.2",
          port: 80,
          localPort: 40_000,
          isn: 1000,
          noDelay: true,
        });
        const connection = await stage.until(connecting);
        const accepted = await stage.until(listener.accept());
        const startUs = stage.nowUs;
        const got: number[] = [];
        let lastUs = 0;
        const reading = (async () => {
          const buffer = new Uint8Array(COUNT * SIZE);
          while (got.length < COUNT * SIZE) {
            const n = await accepted.readInto(buffer);
            for (let i = 0; i < n; i++) got.push(buffer[i]);
            lastUs = stage.nowUs;
          }
        })();
        for (let i = 0; i < COUNT; i++) {
          await stage.until(connection.write(new Uint8Array(SIZE).fill(i)));
          await stage.wait(2);
        }
        await stage.until(reading);
        const inOrder = got.every((byte, i) => byte === Math.floor(i / SIZE));
        const again = connection.info().totalRetrans;
        const ms = Math.round((lastUs - startUs) / 1000);
        stage.say(
          `All ${got.length} bytes arrived, in order and once. ${again} segments were sent again, and what stood behind a gap had to wait for it: the last byte came after ${ms} ms. Order and completeness are paid for with time.`,
          `${got.length}바이트가 모두, 순서대로, 한 번씩 도착했다. 세그먼트 ${again}개를 다시 보냈고, 빈틈 뒤에 있던 것은 기다려야 했다. 마지막 바이트는 ${ms} ms 뒤에 왔다. 순서와 완전함의 값은 시간이다.`,
        );
        theatre.note("tcp: bytes", got.length);
        theatre.note("tcp: in order", inOrder);
        theatre.note("tcp: retransmissions", again);
        theatre.note("tcp: ms", ms);
      },
      { limit: 40 },
    );
  },
};
