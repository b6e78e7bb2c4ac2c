<p>${c.name}</p>${"<b>raw</b>" | n}<a href="${url('item', id=7)}">${request.path}</a>${extra}
