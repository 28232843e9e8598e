export const route = (path) => (path === "/" ? "home" : `route ${path}`);
