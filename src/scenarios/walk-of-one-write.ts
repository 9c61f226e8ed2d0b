import { decodeFrame } from "../wire/frame-fields.ts";
import { hexLines } from "./hex.ts";
import type { Scenario } from "./scenario.ts";

export const walkOfOneWrite: Scenario = {
  name: "walk-of-one-write",
  title: { en: "The walk of one write", ko: "write 한 번의 여정" },
  summary: {
    en: "Five bytes on their way from one application to the other: headers are put in front one by one, and taken off on the other side. Nothing here is a drawing; these are the bytes of the frame.",
    ko: "다섯 바이트가 한 응용 프로그램에서 다른 응용 프로그램까지 가는 길이다. 헤더가 하나씩 앞에 붙고, 반대쪽에서 하나씩 떼어진다. 그림이 아니라 실제 프레임의 바이트다.",
  },
  async play(theatre) {
    await theatre.act({ en: 'write("hello")', ko: 'write("hello")' }, async (stage) => {
      const { client, server } = stage.pair();
      const { connection, accepted } = await stage.open(client, server);
      stage.begin();
      const first = stage.log.count;
      await stage.until(connection.write("hello"));
      stage.say(
        "write() copies five bytes into the send buffer. TCP decides that they may go now: the window is open, nothing is in flight.",
        "write()가 다섯 바이트를 송신 버퍼에 복사한다. TCP는 지금 보내도 된다고 판단한다. 윈도우가 열려 있고 전송 중인 것이 없기 때문이다.",
      );
      await stage.wait(5);
      const frame = stage.log.bytes(first);
      const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
      const parsed = decodeFrame(view, 0, frame.length, "ethernet");
      const ipAt = parsed.ethernet!.headerLength;
      const { tcp, ipv4 } = parsed;
      const tcpAt = parsed.transportAt;
      const dataAt = parsed.payloadAt;
      stage.say(
        `TCP puts ${dataAt - tcpAt} bytes in front: the ports, the number of the first byte (${tcp!.sequence >>> 0}), what is expected from the other side (${tcp!.acknowledgment >>> 0}), flags, the window, a checksum over all of it. IP puts ${tcpAt - ipAt} in front: the addresses, the protocol (6 is TCP), a time to live of ${ipv4!.ttl}. Ethernet puts ${ipAt} in front: whom on this cable it is for, who sent it, and that IPv4 is inside.`,
        `TCP가 ${dataAt - tcpAt}바이트를 앞에 붙인다. 포트, 첫 바이트의 번호(${tcp!.sequence >>> 0}), 상대에게서 기다리는 번호(${tcp!.acknowledgment >>> 0}), 플래그, 윈도우, 전체에 대한 체크섬이다. IP가 ${tcpAt - ipAt}바이트를 붙인다. 주소, 프로토콜(6은 TCP), 수명(TTL) ${ipv4!.ttl}이다. 이더넷이 ${ipAt}바이트를 붙인다. 이 선에서 누구에게 가는지, 누가 보냈는지, 안에 IPv4가 들었다는 것이다.`,
      );
      const part = (from: number, to: number) => hexLines(frame.subarray(from, to));
      stage.show({
        title: { en: "The frame, layer by layer", ko: "프레임을 계층별로" },
        lines: [
          `data, ${frame.length - dataAt} bytes`,
          ...part(dataAt, frame.length),
          `TCP header, ${dataAt - tcpAt} bytes: ${tcp!.sourcePort} > ${tcp!.destinationPort}, seq ${tcp!.sequence >>> 0}, ack ${tcp!.acknowledgment >>> 0}`,
          ...part(tcpAt, dataAt),
          `IPv4 header, ${tcpAt - ipAt} bytes: ${ipv4!.source} > ${ipv4!.destination}, ttl ${ipv4!.ttl}, protocol ${ipv4!.protocol}`,
          ...part(ipAt, tcpAt),
          `Ethernet header, ${ipAt} bytes: ${parsed.ethernet!.source} > ${parsed.ethernet!.destination}`,
          ...part(0, ipAt),
          `the whole frame, ${frame.length} bytes`,
          ...part(0, frame.length),
        ],
      });
      const chunk = await stage.until(accepted.read());
      await stage.wait(30);
      stage.say(
        "At the other side each layer reads its own header and looks no further: Ethernet sees that the frame is for this host, IP that the packet is, TCP finds the connection by addresses and ports, checks the sum, and copies five bytes into the receive buffer. read() copies them once more, and five bytes are where they were meant to go. 54 bytes of headers travelled with them.",
        "반대쪽에서는 계층마다 자기 헤더만 읽는다. 이더넷은 이 호스트로 온 프레임인지, IP는 이 호스트로 온 패킷인지 보고, TCP는 주소와 포트로 연결을 찾아 체크섬을 확인한 뒤 다섯 바이트를 수신 버퍼에 복사한다. read()가 한 번 더 복사하면 다섯 바이트는 갈 곳에 닿는다. 헤더 54바이트가 함께 여행했다.",
      );
      theatre.note("received", new TextDecoder().decode(chunk!));
      theatre.note("headerBytes", [ipAt, tcpAt - ipAt, dataAt - tcpAt]);
      theatre.note("frameBytes", frame.length);
      theatre.note(
        "sameAtOtherSide",
        stage.log.bytes(first + 1).every((byte, i) => byte === frame[i]),
      );
    });
  },
};
