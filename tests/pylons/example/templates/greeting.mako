<%def name="shout(who='x')">${who.upper()}!</%def>\
${_("Good day")} ${c.name} ${part | n}
