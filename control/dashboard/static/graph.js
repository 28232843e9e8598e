// Where the boxes of the dependency graph stand: layers from left to right, few crossings.

/** @typedef {{id: string, needs: string[]}} Service */
/** @typedef {{id: string, layer: number, row: number}} Place */

const SWEEPS = 6;

/**
 * Places each service right of all that it needs. What names no service is left out, and in a
 * circle, which a bundle cannot have, nobody waits for ever.
 *
 * @param {Service[]} services
 * @returns {Place[]}
 */
export function layout(services) {
  const needs = new Map(services.map(({ id }) => [id, /** @type {string[]} */ ([])]));
  for (const { id, needs: wanted } of services)
    needs.set(
      id,
      [...new Set(wanted)].filter((one) => needs.has(one) && one !== id),
    );
  const layers = inLayers(needs);
  for (let sweep = 0; sweep < SWEEPS; sweep++) sort(layers, needs, sweep % 2 === 0);
  return layers.flatMap((ids, layer) => ids.map((id, row) => ({ id, layer, row })));
}

/** @param {Map<string, string[]>} needs @returns {string[][]} */
function inLayers(needs) {
  const layers = [];
  const placed = new Set();
  let left = [...needs.keys()];
  while (left.length) {
    let ready = left.filter((id) => (needs.get(id) ?? []).every((one) => placed.has(one)));
    if (!ready.length) ready = left;
    ready.forEach((id) => placed.add(id));
    layers.push(ready);
    left = left.filter((id) => !placed.has(id));
  }
  return layers;
}

/**
 * Orders each layer by the middle of its neighbours' rows (Sugiyama's barycentre).
 *
 * @param {string[][]} layers
 * @param {Map<string, string[]>} needs
 * @param {boolean} forward
 */
function sort(layers, needs, forward) {
  const rows = new Map(layers.flatMap((ids) => ids.map((id, row) => [id, row])));
  const neighbours = forward ? needs : reversed(needs);
  const middle = (/** @type {string} */ id) => {
    const near = (neighbours.get(id) ?? []).map((one) => rows.get(one) ?? 0);
    return near.length
      ? near.reduce((sum, row) => sum + row, 0) / near.length
      : (rows.get(id) ?? 0);
  };
  for (const ids of layers) {
    const wanted = new Map(ids.map((id) => [id, middle(id)]));
    ids.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
    ids.forEach((id, row) => rows.set(id, row));
  }
}

/** @param {Map<string, string[]>} needs @returns {Map<string, string[]>} who needs each */
export function reversed(needs) {
  const found = new Map([...needs.keys()].map((id) => [id, /** @type {string[]} */ ([])]));
  for (const [id, wanted] of needs) wanted.forEach((one) => found.get(one)?.push(id));
  return found;
}

/**
 * All that stop with a service, because they need it or what needs it.
 *
 * @param {Service[]} services
 * @param {string} id
 */
export function dependents(services, id) {
  const needed = reversed(new Map(services.map(({ id: one, needs }) => [one, needs])));
  const found = new Set();
  const look = [id];
  while (look.length) {
    for (const one of needed.get(look.pop() ?? "") ?? []) {
      if (found.has(one)) continue;
      found.add(one);
      look.push(one);
    }
  }
  found.delete(id);
  return /** @type {string[]} */ ([...found]);
}
