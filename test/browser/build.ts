import { execFileSync } from "node:child_process";
import { MISSING } from "./browser.ts";

/** Builds the package and the page that the tests look at. */
export default function build(): void {
  if (MISSING !== "") {
    console.warn(`browser tests are skipped: ${MISSING}`);
    return;
  }
  for (const script of ["emit", "playground:build"]) {
    execFileSync("npm", ["run", "--silent", script], { stdio: ["ignore", "ignore", "inherit"] });
  }
}
