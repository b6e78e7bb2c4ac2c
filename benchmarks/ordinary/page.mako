<!DOCTYPE html>
<title>Items</title>
<table>
% for row in rows:
<tr class="${loop.cycle('odd', 'even')}"><td>${loop.index}</td><td><a href="/items/${loop.index}">${row['name']}</a></td><td>${'%.2f' % row['price']}</td></tr>
% endfor
</table>
