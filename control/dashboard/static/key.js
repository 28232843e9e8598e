// The page's half of a session. Storage is kept apart by port, which cookies are not.

const NAME = "bundlevisor-key";

/** @param {string} key */
export function keep(key) {
  localStorage.setItem(NAME, key);
}

export function kept() {
  return localStorage.getItem(NAME) ?? "";
}

export function forget() {
  localStorage.removeItem(NAME);
}
