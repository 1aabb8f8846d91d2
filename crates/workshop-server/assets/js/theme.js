// Pages that are files have no server that reads the cookie: this runs before the first paint.
{
  const chosen = /(?:^|; )workshop-theme=(light|dark)/.exec(document.cookie)?.[1];
  if (chosen) document.documentElement.dataset.theme = chosen;
}
