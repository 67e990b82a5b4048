"use strict";

const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

/** mocha's spec reporter, which also leaves its figures in the file that GIO_SANDBOX_TEST_FIGURES names. */
module.exports = class FiguresReporter extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const file = process.env.GIO_SANDBOX_TEST_FIGURES;
    if (file) writeFileSync(file, `${this.stats.passes} passed, ${this.stats.failures} failed\n`);
  }
};
