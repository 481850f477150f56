#!/bin/sh
# links FOLDER NAME [VERSION]: the symbolic links of one lineage, since MicroPython makes none.
# With VERSION: NAME.key and its like point into .NAME, and .NAME.new at VERSION, which is renamed to .NAME then.
# Without: what is ours of them is taken away.
set -u
cd "$1" || exit 1
name="$2"
for file in crt fullchain.crt chain.crt combined.crt key; do
	link="$name.$file"
	ours=0
	[ "$(readlink "$link")" = ".$name/$file" ] && ours=1
	if [ $# -lt 3 ]; then
		[ $ours = 1 ] && rm -f "$link"
	elif [ $ours = 0 ]; then
		if [ -e "$link" ] || [ -L "$link" ]; then
			echo "$1/$link is not ours; move it away, or let the other ACME client go." >&2
			exit 1
		fi
		ln -s ".$name/$file" "$link" || exit 1
	fi
done
rm -f ".$name.new"
if [ $# -lt 3 ]; then
	rm -f ".$name"
else
	chmod 755 "$3" && chmod 644 "$3/crt" "$3/chain.crt" "$3/fullchain.crt" && ln -s "$3" ".$name.new"
fi
