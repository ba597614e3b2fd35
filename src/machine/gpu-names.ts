// Words that say who sells a card, how it is mounted or how it is cooled, but not which one it is.
const SAYS_NOTHING =
  /^(?:nvidia|geforce|quadro|tesla|grid|rtx|gtx|graphics|gpu|gpus|generation|server|workstation|edition|blackwell|sff|fhhl|with|design|max|q|x\d+|sxm\d*|pcie|nvl\d*|hbm\d?e?|gb|mem|memory|\d+g|\d+gi?b|\d+tb)$/;

const GLUED_BRAND = /^(?:nvidia|geforce|quadro|tesla|rtx|gtx)+(?=[a-z0-9])/;
const GLUED_MOUNT = /(?<=\d[a-z]?)(?:sxm\d*|pcie|nvl\d*)$/;

/**
 * What tells one model from another, as one word: `a10` is not `a100`, `l40` is not `l40s`, and "RTX4090", "rtx-4090" and
 * "NVIDIA GeForce RTX 4090" are all `4090`. Empty when nothing of that kind is in the name.
 */
function modelIn(name: string): string {
  const [card = ""] = name.toLowerCase().split(/\bmig\b/);
  return card
    .split(/[^a-z0-9]+/)
    .map((word) =>
      word
        .replace(GLUED_BRAND, "")
        .replace(GLUED_MOUNT, "")
        .replace(/(?<=ada)generation$/, ""),
    )
    .filter((word) => word !== "" && !SAYS_NOTHING.test(word))
    .join("");
}

/**
 * Whether a name that nvidia-smi shows is of the family that was bought (`H100`), or of the canonical type
 * (`nvidia-h100-sxm5-80gb`) where the family is empty. True when neither of them names a model, for then there is nothing to compare.
 */
export function isOfFamily(nvidiaSmiName: string, family: string, gpuType: string): boolean {
  const wanted = modelIn(family) || modelIn(gpuType);
  return wanted === "" || modelIn(nvidiaSmiName) === wanted;
}
