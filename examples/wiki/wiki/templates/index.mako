<%inherit file="base.mako"/>
<%def name="title()">${_("Pages with “%s”") % c.search if c.search else _("All pages")}</%def>
<p>${ungettext("%d page", "%d pages", len(c.pages)) % len(c.pages)}</p>
<ul>
% for page in c.pages:
<li><a href="${url('show', title=page.title)}">${page.title}</a></li>
% endfor
</ul>
