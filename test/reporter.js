import { writeFileSync } from "node:fs";
import mocha from "mocha";

/** mocha's spec reporter, which also leaves its figures in the file that GIO_SANDBOX_TEST_FIGURES names. */
export default class FiguresReporter extends mocha.reporters.Spec {
  epilogue() {
    super.epilogue();
    const file = process.env.GIO_SANDBOX_TEST_FIGURES;
    if (file) writeFileSync(file, `${this.stats.passes} passed, ${this.stats.failures} failed\n`);
  }
}
