<%inherit file="base.mako"/>
<%def name="title()">${c.title}</%def>
${h.wikified(c.page.content)}
<p class="saved">${_("Saved by %(name)s at %(time)s") % {"name": c.page.author, "time": c.page.saved.strftime("%Y-%m-%d %H:%M")}}</p>
<p id="editors" data-url="${url('editors', title=c.title)}" data-text="${_('Being edited by:')}" data-known="${' '.join(c.editors)}"></p>
<p><a href="${url('edit', title=c.title)}">${_("Edit")}</a></p>
% if c.user:
${h.secure_form(url("delete", title=c.title))}<button>${_("Delete")}</button></form>
% endif
<script src="${url('/editors.js')}"></script>
