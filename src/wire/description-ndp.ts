/** Neighbor discovery in words. */
import { decodeNdp, type NdpOption } from "./ndp-fields.ts";

/** "neighbor solicitation, who has fe80::1, source link 02:..."; undefined if it is none. */
export function describeNdp(view: DataView, at: number, length: number): string | undefined {
  const ndp = decodeNdp(view, at, length);
  if (ndp === undefined) return undefined;
  const options = ndp.options.map((option) => `, ${describeOption(option)}`).join("");
  switch (ndp.type) {
    case "routerSolicitation":
      return `router solicitation${options}`;
    case "routerAdvertisement": {
      const flags = (ndp.managed ? "M" : "") + (ndp.otherConfig ? "O" : "");
      const text = `router advertisement, hop limit ${ndp.hopLimit}, flags [${flags || "none"}]`;
      return `${text}, lifetime ${ndp.routerLifetimeS}s${options}`;
    }
    case "neighborSolicitation":
      return `neighbor solicitation, who has ${ndp.target}${options}`;
    case "neighborAdvertisement": {
      const flags =
        (ndp.router ? "R" : "") + (ndp.solicited ? "S" : "") + (ndp.override ? "O" : "");
      return `neighbor advertisement, tgt is ${ndp.target}, flags [${flags || "none"}]${options}`;
    }
    case "redirect":
      return `redirect, ${ndp.destination} to ${ndp.target}${options}`;
  }
}

function describeOption(option: NdpOption): string {
  switch (option.kind) {
    case "sourceLink":
      return `source link ${option.mac}`;
    case "targetLink":
      return `target link ${option.mac}`;
    case "prefix": {
      const flags = (option.onLink ? "L" : "") + (option.autonomous ? "A" : "");
      return `prefix ${option.prefix}/${option.prefixLength} [${flags || "none"}]`;
    }
    case "mtu":
      return `mtu ${option.mtu}`;
    case "redirected":
      return `redirected header ${option.packet.length}`;
    case "rdnss":
      return `rdnss ${option.servers.join(" ")}`;
    case "dnssl":
      return `dnssl ${option.domains.join(" ")}`;
    case "other":
      return `option ${option.number}`;
  }
}
