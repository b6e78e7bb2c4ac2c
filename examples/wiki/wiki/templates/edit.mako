<%inherit file="base.mako"/>
<%def name="title()">${_("Edit %s") % c.title}</%def>
${h.secure_form(url("save", title=c.title))}
<textarea name="content" rows="20" cols="80" aria-label="${_('Text')}">
${c.content}</textarea>
<p><button>${_("Save")}</button> <a href="${url('show', title=c.title)}">${_("Back")}</a></p>
</form>
