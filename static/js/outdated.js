/**
 * Stands in for every script of an earlier version: the server was brought up to date while this
 * page was on its way. The page is loaded again, once; a second time it says itself what to do.
 */

{
  const [entry] = performance.getEntriesByType("navigation");
  const { type } = /** @type {{ type?: string }} */ (entry ?? {});
  if (type !== "reload") location.reload();
}
