<%inherit file="base.mako"/>
<%def name="title()">${c.status}</%def>
% if c.title:
<p>${_("There is no page %s yet.") % c.title} <a href="${url('edit', title=c.title)}">${_("Write it")}</a></p>
% else:
<p>${_("That did not work.")}</p>
% endif
