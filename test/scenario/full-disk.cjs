"use strict";
/*
 * Preload: a disk that is full under the runner's state file. While the file $FULL_DISK exists, half of what is appended there is
 * written and the rest refused, as Linux does it.
 */
const fs = require("node:fs");

const append = fs.appendFileSync;
fs.appendFileSync = (file, data, options) => {
  if (file !== process.env.GITHUB_STATE || !fs.existsSync(process.env.FULL_DISK)) return append(file, data, options);
  append(file, data.slice(0, data.length / 2), options);
  throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", errno: -28, syscall: "write" });
};
