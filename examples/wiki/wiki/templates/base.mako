<!DOCTYPE html>
<html lang="${c.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${self.title()}</title>
<link rel="stylesheet" href="${url('/wiki.css')}">
</head>
<body>
<nav>
<a href="${url('home')}">${_("Front page")}</a>
<a href="${url('pages')}">${_("All pages")}</a>
<form action="${url('pages')}"><input name="q" aria-label="${_('Search')}"> <button>${_("Search")}</button></form>
% if c.user:
${h.secure_form(url("logout"))}${c.user} <button>${_("Log out")}</button></form>
% else:
<a href="${url('login')}">${_("Log in")}</a>
% endif
</nav>
<main>
% for message in h.flash.pop_messages():
<p class="message ${message.category}">${message}</p>
% endfor
<h1>${self.title()}</h1>
${self.body()}
</main>
</body>
</html>
