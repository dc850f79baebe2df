/** How requests leave: JupyterLab's own way, or the page's. */
export interface Transport {
  send(path: string, init: RequestInit): Promise<Response>;
  socketUrl(path: string): string;
}

export function routeUrl(route: string): string {
  return `nbcellar/api/${route}`;
}

/** Return what sends `asked`, which may come as JSON in a Blob. */
export function posted(asked: object): RequestInit {
  const body = asked instanceof Blob ? asked : JSON.stringify(asked);
  return { method: 'POST', body, headers: { 'Content-Type': 'application/json' } };
}
