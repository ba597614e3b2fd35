import { isMap, isScalar, LineCounter, parseDocument, type YAMLMap, type YAMLParseError } from "yaml";
import { plain } from "../lease/plain.ts";
import { expandCloudConfig, UnreadableYaml } from "./cloud-init-expand.ts";

/** A user's script: a `#cloud-config` as a tree without aliases, a `#!` script as text, or why it is neither. */
export type UserScript =
  | { readonly kind: "cloud-config"; readonly content: YAMLMap }
  | { readonly kind: "script"; readonly text: string }
  | { readonly kind: "refused"; readonly flaws: readonly string[] };

// How other user data begins: https://docs.cloud-init.io/en/latest/explanation/format.html
const OTHER_FORMATS: readonly (readonly [string, string])[] = [
  ["#cloud-config-archive", "it is a cloud-config archive, which cannot be merged; put its parts into one '#cloud-config'"],
  ["#cloud-config-jsonp", "it is a JSON patch, which cannot be merged; write a '#cloud-config'"],
  ["#cloud-boothook", "it is a boothook, which cannot be merged; put its commands under 'bootcmd' of a '#cloud-config'"],
  ["#part-handler", "it is a part handler, which the marketplace does not take; write a '#cloud-config' or a '#!' script"],
  ["#include", "it includes other files by address, which cannot be checked here; write their content into a '#cloud-config'"],
  ["## template:", "it is a template that the machine fills in, so it cannot be merged here; write its values out"],
  ["content-type:", "it is a MIME message, which the marketplace does not take; write one '#cloud-config'"],
  ["mime-version:", "it is a MIME message, which the marketplace does not take; write one '#cloud-config'"],
  ["\u001f", "it is compressed; give it as text"],
];

export function readUserScript(given: string): UserScript {
  const text = given.replace(/^\ufeff/, "");
  const start = text.trimStart();
  const other = OTHER_FORMATS.find(([beginning]) => start.toLowerCase().startsWith(beginning));
  if (other) return refuse(`${other[1]}.`);
  if (start.startsWith("#!")) return readShebang(start);
  if (/^#cloud-config(?:\s|$)/.test(start)) return readCloudConfig(text.replace(/\r\n?/g, "\n"));
  return refuse("it must begin with '#cloud-config' or with '#!' and the path of an interpreter.");
}

function readShebang(text: string): UserScript {
  const [line = ""] = text.split("\n", 1);
  if (line.endsWith("\r"))
    return refuse("its '#!' line ends with CR LF, so the interpreter would not be found; save it with LF line ends.");
  if (!/^#![ \t]*\/\S/.test(line))
    return refuse(`it begins with '${plain(line, 60)}'; after '#!' it needs the path of an interpreter, as in '#!/bin/bash'.`);
  return { kind: "script", text };
}

// PyYAML, which reads it on the machine, refuses some of these, takes others for the end of a line, and skips the byte order mark.
const UNPRINTABLE = /[^\t\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

function readCloudConfig(text: string): UserScript {
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  // With the failsafe schema every plain scalar stays as it is written (`0644`, `yes`, `1e3`), for it is cloud-init that
  // gives it a meaning. Pretty errors would quote the text, which may hold a secret.
  const document = parseDocument(text, {
    schema: "failsafe",
    version: "1.1",
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "error",
    uniqueKeys: (one, other) => isScalar(one) && isScalar(other) && one.value === other.value && one.value !== "<<",
  });
  const unprintable = UNPRINTABLE.exec(text);
  if (unprintable)
    return refuse(
      `it has the character U+${hex(unprintable[0])} at ${at(unprintable.index)}, which YAML does not take; write it as an escape.`,
    );
  if (document.errors.length > 0)
    return {
      kind: "refused",
      flaws: document.errors.map((error) => `it is not YAML that can be read, at ${at(error.pos[0])}: ${explain(error)}`),
    };
  try {
    const content = expandCloudConfig(document.contents);
    if (isMap(content)) return { kind: "cloud-config", content };
    return refuse("it is not a map at its top level; a '#cloud-config' has lines such as 'packages: [git]'.");
  } catch (error) {
    // Only what the user wrote is answered with a flaw; anything else is a defect.
    if (!(error instanceof UnreadableYaml)) throw error;
    return refuse(`cloud-init would not read it, at ${at(error.offset)}: ${plain(error.message)}`);
  }
}

function explain(error: YAMLParseError): string {
  return error.code === "MULTIPLE_DOCS" ? "it has to be one document" : plain(error.message);
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

function refuse(flaw: string): UserScript {
  return { kind: "refused", flaws: [flaw] };
}
