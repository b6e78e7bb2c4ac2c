<%inherit file="base.mako"/>
<%def name="title()">${_("Log in")}</%def>
${h.secure_form(url("login"))}
<p><label>${_("Name")} <input name="name" value="${c.name}" autocomplete="username"></label></p>
<p><label>${_("Password")} <input name="password" type="password" autocomplete="current-password"></label></p>
<p><button>${_("Log in")}</button></p>
</form>
