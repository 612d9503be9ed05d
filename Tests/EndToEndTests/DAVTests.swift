// SPDX-License-Identifier: Apache-2.0
// CalDAV and CardDAV as their standards say, method by method.

import Foundation
import RelaisTesting
import Testing

@Suite(.serialized) struct DAVTests {
    private static let calendar = "/dav/calendars/hugo/calendar/"
    private static let book = "/dav/addressbooks/hugo/addressbook/"

    private func propfind(_ properties: String) -> String {
        """
        <?xml version="1.0"?><x:propfind xmlns:x="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"
          xmlns:v="urn:ietf:params:xml:ns:carddav" xmlns:s="http://calendarserver.org/ns/"
          xmlns:i="http://apple.com/ns/ical/"><x:prop>\(properties)</x:prop></x:propfind>
        """
    }

    private func sync(_ token: String, _ more: String = "", properties: String = "<getetag/>") -> String {
        """
        <sync-collection xmlns="DAV:"><sync-token>\(token)</sync-token><sync-level>1</sync-level>\(more)
        <prop>\(properties)</prop></sync-collection>
        """
    }

    @Test func `whoever shows no app password of his own is refused everywhere`() async throws {
        try await withDAV { site, _ in
            let routes = try await RelaisCommand.run(["serve", "--routes", "--data", site.data]).output
            let methods = routes.split(separator: "\n").filter { $0.hasSuffix(" /dav/**") }.compactMap {
                $0.split(separator: " ").first.map(String.init)
            }
            #expect(methods.contains("MKCALENDAR") && methods.count > 12)
            for path in ["/dav", "/dav/principals/hugo/", Self.calendar, Self.book + "x.vcf", "/dav/x/y"] {
                for method in methods {
                    let answer = try await site.ask(method, path, as: nil)
                    #expect(answer.status == 401, "\(method) \(path): \(answer.status)")
                    #expect(answer.fields["www-authenticate"]?.hasPrefix("Basic realm=") == true)
                }
            }
            for method in ["PROPFIND", "OPTIONS", "REPORT"] {
                #expect(try await site.ask(method, "/", as: nil).status == 401, "\(method) /")
            }
            let password = try #require(site.passwords["hugo"])
            for pair in ["lea:\(password)", "hugo:faux", "hugo:", ":\(password)", password] {
                let header = ["Authorization": "Basic " + Data(pair.utf8).base64EncodedString()]
                #expect(try await site.send("PROPFIND", "/dav/", nil, header).status == 401, "\(pair)")
            }
            let bearer = ["Authorization": "Bearer \(password)"]
            #expect(try await site.send("PROPFIND", "/dav/", nil, bearer).status == 401)
        }
    }

    @Test func `a program finds its collections from the host's name alone`() async throws {
        try await withDAV { site, _ in
            for (path, method) in [
                ("/.well-known/caldav", "PROPFIND"), ("/.well-known/carddav", "GET"),
                ("/.well-known/caldav/", "OPTIONS"), ("/", "PROPFIND"),
            ] {
                let answer = try await site.ask(method, path)
                #expect(answer.status == 301 && answer.fields["location"] == "/dav/", "\(method) \(path)")
            }
            let options = try await site.ask("OPTIONS", "/")
            #expect(options.status == 200 && options.fields["dav"]?.contains("calendar-access") == true)
            for path in ["/dav", "/dav/"] {
                let root = try await site.ask(
                    "PROPFIND", path, propfind("<x:current-user-principal/><x:resourcetype/>"), ["Depth": "0"]
                )
                #expect(root.status == 207)
                #expect(root.first("current-user-principal") == "<D:href>/dav/principals/hugo/</D:href>")
            }
            let principal = try await site.ask(
                "PROPFIND", "/dav/principals/hugo",
                propfind("<c:calendar-home-set/><v:addressbook-home-set/><x:displayname/><s:pushkey/>"),
                ["Depth": "0"])
            #expect(principal.first("calendar-home-set") == "<D:href>/dav/calendars/hugo/</D:href>")
            #expect(principal.first("addressbook-home-set") == "<D:href>/dav/addressbooks/hugo/</D:href>")
            #expect(principal.all("propstat").last?.contains("404 Not Found") == true)
            #expect(principal.text.contains("<CS:pushkey/>"))
            let home = try await site.ask(
                "PROPFIND", "/dav/calendars/hugo/",
                propfind("<x:resourcetype/><c:supported-calendar-component-set/><x:sync-token/><s:getctag/>"),
                ["Depth": "1"])
            #expect(home.response(Self.calendar)?.contains("<C:comp name=\"VEVENT\"/>") == true)
            #expect(home.response("/dav/calendars/hugo/tasks/")?.contains("<C:comp name=\"VTODO\"/>") == true)
            let books = try await site.ask(
                "PROPFIND", "/dav/addressbooks/hugo/",
                propfind("<x:resourcetype/><v:supported-address-data/>"),
                ["Depth": "1"])
            #expect(books.response(Self.book)?.contains("<CR:addressbook/>") == true)
        }
    }

    @Test func `an object comes back byte for byte, and is changed only as its etag allows`() async throws {
        try await withDAV { site, _ in
            let path = Self.calendar + "visite.ics"
            let event = Sample.event("u1", more: "X-APPLE-STRUCTURED-LOCATION;VALUE=URI:geo:1.5,2.5\r\n")
            let made = try await site.ask("PUT", path, event, ["If-None-Match": "*"])
            #expect(made.status == 201)
            let etag = try #require(made.fields["etag"])
            #expect(etag.hasPrefix("\"") && etag.hasSuffix("\""))
            let got = try await site.ask("GET", path)
            #expect(got.status == 200 && got.text == event && got.fields["etag"] == etag)
            #expect(got.fields["content-type"] == "text/calendar; charset=utf-8; component=VEVENT")
            let head = try await site.ask("HEAD", path)
            #expect(head.status == 200 && head.text.isEmpty && head.fields["etag"] == etag)
            #expect(head.fields["content-length"] == String(event.utf8.count))
            #expect(try await site.ask("GET", path, nil, ["If-None-Match": etag]).status == 304)
            // The first answer got lost: the same once more is no mistake, something else is.
            let again = try await site.ask("PUT", path, event, ["If-None-Match": "*"])
            #expect(again.status == 204 && again.fields["etag"] == etag)
            let other = Sample.event("u1", "Visite reportée")
            #expect(try await site.ask("PUT", path, other, ["If-None-Match": "*"]).status == 412)
            let plain = Self.calendar + "autre.ics"
            #expect(try await site.ask("PUT", plain, Sample.event("u2")).status == 201)
            #expect(
                try await site.ask("PUT", plain, Sample.event("u2"), ["If-None-Match": "*"]).status == 412)
            #expect(try await site.ask("PUT", path, other, ["If-Match": "\"x\""]).status == 412)
            let wanted = try await site.ask(
                "PUT", path, other, ["If-Match": "\"x\"", "Prefer": "return=representation"])
            #expect(wanted.status == 412 && wanted.text == event)
            // Proxies weaken tags, or mark them as compressed.
            let weak = "W/" + etag
            let changed = try await site.ask("PUT", path, other, ["If-Match": weak])
            #expect(changed.status == 204 && changed.fields["etag"] != etag)
            let zipped = try #require(changed.fields["etag"]).dropLast() + "-gzip\""
            #expect(try await site.ask("DELETE", path, nil, ["If-Match": etag]).status == 412)
            #expect(try await site.ask("DELETE", path, nil, ["If-Match": String(zipped)]).status == 204)
            #expect(try await site.ask("GET", path).status == 404)
            #expect(try await site.ask("DELETE", path).status == 404)
            #expect(try await site.ask("PUT", path, event, ["If-Match": etag]).status == 412)
            // What is deleted blocks neither name nor uid.
            #expect(try await site.ask("PUT", path, event).status == 201)
        }
    }

    @Test func `what no collection may hold is refused with its reason`() async throws {
        try await withDAV { site, _ in
            let twice = Sample.event("a").replacing(
                "END:VEVENT\r\n", with: "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:b\r\nEND:VEVENT\r\n")
            let method = Sample.event("a").replacing("VERSION", with: "METHOD:REQUEST\r\nVERSION")
            let nameless = Sample.event("a").replacing("UID:a\r\n", with: "")
            for (body, condition) in [
                ("pas un agenda", "valid-calendar-data"), (Sample.card("a"), "valid-calendar-data"),
                (twice, "valid-calendar-object-resource"), (method, "valid-calendar-object-resource"),
                (nameless, "valid-calendar-object-resource"),
                (Sample.task("a"), "supported-calendar-component"),
            ] {
                let answer = try await site.ask("PUT", Self.calendar + "a.ics", body)
                #expect(
                    answer.status == 403 && answer.text.contains("<C:\(condition)"), "\(condition): \(answer)"
                )
            }
            let card = try await site.ask("PUT", Self.book + "a.vcf", Sample.event("a"))
            #expect(card.status == 403 && card.text.contains("<CR:valid-address-data"))
            let huge = Sample.event("h", more: "X-A:" + String(repeating: "x", count: 11 << 20) + "\r\n")
            let large = try await site.ask("PUT", Self.calendar + "h.ics", huge)
            #expect(large.status == 403 && large.text.contains("<C:max-resource-size"))
            #expect(try await site.ask("PUT", Self.calendar + "a.ics", Sample.event("a")).status == 201)
            let conflict = try await site.ask("PUT", Self.calendar + "b.ics", Sample.event("a"))
            #expect(conflict.status == 403 && conflict.text.contains("no-uid-conflict"))
            #expect(conflict.first("href") == Self.calendar + "a.ics")
            #expect(try await site.ask("PUT", Self.calendar + "a.ics", Sample.event("z")).status == 403)
            #expect(
                try await site.ask("PUT", "/dav/calendars/hugo/rien/a.ics", Sample.event("a")).status == 409)
            #expect(try await site.ask("PUT", Self.calendar, Sample.event("a")).status == 405)
            #expect(try await site.ask("POST", Self.calendar, Sample.event("a")).status == 405)
            // A card with a bad address is kept: one of them must not end the synchronisation of all others.
            #expect(try await site.ask("PUT", Self.book + "a.vcf", Sample.card("a")).status == 201)
        }
    }

    @Test func `changes are told by token, deletions too, in parts and from the start`() async throws {
        try await withDAV { site, _ in
            for index in 1...5 {
                let path = Self.calendar + "\(index).ics"
                #expect(try await site.ask("PUT", path, Sample.event("u\(index)")).status == 201)
            }
            // Thunderbird's Depth is as good as any.
            let all = try await site.ask("REPORT", Self.calendar, sync(""), ["Depth": "1"])
            #expect(all.status == 207 && all.all("response").count == 5)
            let token = try #require(all.first("sync-token"))
            let ctag = propfind("<s:getctag/><x:sync-token/>")
            let before = try await site.ask("PROPFIND", Self.calendar, ctag, ["Depth": "0"])
            #expect(before.first("sync-token") == token)
            #expect(try await site.ask("DELETE", Self.calendar + "2.ics").status == 204)
            #expect(
                try await site.ask("PUT", Self.calendar + "3.ics", Sample.event("u3", "Autre")).status == 204)
            #expect(
                try await site.ask("PUT", Self.calendar + "é 6.ics".escaped, Sample.event("u6")).status == 201
            )
            let some = try await site.ask("REPORT", Self.calendar, sync(token))
            #expect(some.all("response").count == 3)
            #expect(some.response(Self.calendar + "2.ics")?.contains("404 Not Found") == true)
            #expect(some.response(Self.calendar + "3.ics")?.contains("getetag") == true)
            #expect(some.response(Self.calendar + "%C3%A9%206.ics") != nil)
            let after = try await site.ask("PROPFIND", Self.calendar, ctag, ["Depth": "0"])
            #expect(after.first("getctag") != before.first("getctag"))
            // Nothing new: nothing but the token.
            let next = try #require(some.first("sync-token"))
            let none = try await site.ask("REPORT", Self.calendar, sync(next))
            #expect(none.all("response").isEmpty && none.first("sync-token") == next)
            // In parts of two, from the start: each object once.
            var (place, found, rounds) = ("", [String](), 0)
            while true {
                let part = try await site.ask(
                    "REPORT", Self.calendar, sync(place, "<limit><nresults>2</nresults></limit>"))
                found += part.all("href").filter { $0.hasSuffix(".ics") }
                place = try #require(part.first("sync-token"))
                rounds += 1
                guard part.response(Self.calendar)?.contains("507") == true, rounds < 9 else { break }
            }
            #expect(rounds == 3 && found.count == 5 && Set(found).count == 5)
            #expect(place == next)
            for bad in ["https://relais.invalid/ns/sync/1/1", "x", next + "9"] {
                let answer = try await site.ask("REPORT", Self.calendar, sync(bad))
                #expect(answer.status == 403 && answer.text.contains("<D:valid-sync-token"), "\(bad)")
            }
        }
    }

    @Test func `many objects are read at once, and what is missing is told`() async throws {
        try await withDAV { site, _ in
            #expect(try await site.ask("PUT", Self.calendar + "a@b.ics", Sample.event("a")).status == 201)
            let body = """
                <C:calendar-multiget xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:">
                <prop><getetag/><C:calendar-data/></prop><href>\(Self.calendar)a%40b.ics</href>
                <href>\(Self.calendar)rien.ics</href><href>/dav/calendars/lea/calendar/x.ics</href>
                </C:calendar-multiget>
                """
            let found = try await site.ask("REPORT", Self.calendar, body)
            let data = found.response(Self.calendar + "a@b.ics")
            #expect(data?.contains("SUMMARY:Visite&#13;\nEND:VEVENT") == true)
            #expect(found.response(Self.calendar + "rien.ics")?.contains("404") == true)
            #expect(found.response("/dav/calendars/lea/calendar/x.ics")?.contains("404") == true)
            #expect(try await site.ask("PUT", Self.book + "c.vcf", Sample.card("c")).status == 201)
            let cards = """
                <C:addressbook-multiget xmlns:C="urn:ietf:params:xml:ns:carddav" xmlns="DAV:">
                <prop><getetag/><C:address-data/></prop><href>\(Self.book)c.vcf</href></C:addressbook-multiget>
                """
            #expect(try await site.ask("REPORT", Self.book, cards).text.contains("FN:Élise Ménard&#13;"))
            let wrong = try await site.ask("REPORT", Self.book, body)
            #expect(wrong.status == 403 && wrong.text.contains("<D:supported-report"))
        }
    }

    @Test func `questions find objects by their kind and their texts`() async throws {
        try await withDAV { site, _ in
            for (name, summary, more) in [
                ("a", "Visite de l’usine", "CATEGORIES:Client\r\n"), ("b", "Déjeuner", ""),
            ] {
                let event = Sample.event(name, summary, more: more)
                #expect(try await site.ask("PUT", Self.calendar + name + ".ics", event).status == 201)
            }
            func query(_ inside: String) -> String {
                """
                <C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:"><prop><getetag/></prop>
                <C:filter><C:comp-filter name="VCALENDAR">\(inside)</C:comp-filter></C:filter></C:calendar-query>
                """
            }
            func names(_ inside: String) async throws -> [String] {
                let answer = try await site.ask("REPORT", Self.calendar, query(inside), ["Depth": "1"])
                #expect(answer.status == 207, "\(answer.text)")
                return answer.all("href").map { String($0.dropFirst(Self.calendar.count).dropLast(4)) }
            }
            func event(_ inside: String) -> String {
                "<C:comp-filter name=\"VEVENT\">\(inside)</C:comp-filter>"
            }
            #expect(try await names(event("")) == ["a", "b"])
            #expect(try await names("<C:comp-filter name=\"VTODO\"/>") == [])
            #expect(
                try await names("<C:comp-filter name=\"VTODO\"><C:is-not-defined/></C:comp-filter>") == [
                    "a", "b",
                ])
            let text = "<C:text-match>VISITE</C:text-match>"
            #expect(
                try await names(event("<C:prop-filter name=\"SUMMARY\">\(text)</C:prop-filter>")) == ["a"])
            let not = "<C:prop-filter name=\"CATEGORIES\"><C:is-not-defined/></C:prop-filter>"
            #expect(try await names(event(not)) == ["b"])
            let odd = query(
                event(
                    "<C:prop-filter name=\"SUMMARY\"><C:text-match collation=\"i;x\">a</C:text-match></C:prop-filter>"
                ))
            let refused = try await site.ask("REPORT", Self.calendar, odd)
            #expect(refused.status == 403 && refused.text.contains("<C:supported-collation"))
            for (name, person) in [("p", "Élise Ménard"), ("q", "Paul Roux")] {
                let path = Self.book + name + ".vcf"
                #expect(try await site.ask("PUT", path, Sample.card(name, person)).status == 201)
            }
            func cards(_ filter: String, _ more: String = "") async throws -> DAVSite.Answer {
                let body = """
                    <C:addressbook-query xmlns:C="urn:ietf:params:xml:ns:carddav" xmlns="DAV:">
                    <prop><getetag/></prop><C:filter>\(filter)</C:filter>\(more)</C:addressbook-query>
                    """
                return try await site.ask("REPORT", Self.book, body)
            }
            let begins =
                "<C:prop-filter name=\"FN\"><C:text-match match-type=\"starts-with\">élise</C:text-match></C:prop-filter>"
            #expect(try await cards(begins).all("href") == [Self.book + "p.vcf"])
            let cell =
                "<C:prop-filter name=\"TEL\"><C:param-filter name=\"TYPE\"><C:text-match>cell</C:text-match></C:param-filter></C:prop-filter>"
            #expect(try await cards(cell).all("href").count == 2)
            let one = try await cards("", "<C:limit><C:nresults>1</C:nresults></C:limit>")
            #expect(one.all("response").count == 2 && one.response(Self.book)?.contains("507") == true)
        }
    }

    @Test func `names and colours are set together or not at all`() async throws {
        try await withDAV { site, _ in
            let set = """
                <propertyupdate xmlns="DAV:" xmlns:i="http://apple.com/ns/ical/"><set><prop>
                <displayname>Agenda &amp; &lt;tournées&gt;</displayname><i:calendar-color>#FF2968FF</i:calendar-color>
                <x:note xmlns:x="urn:essai" lang="fr"><x:b>gras</x:b> et &amp;</x:note></prop></set></propertyupdate>
                """
            #expect(try await site.ask("PROPPATCH", Self.calendar, set).status == 207)
            let names = propfind("<x:displayname/><i:calendar-color/><n:note xmlns:n=\"urn:essai\"/>")
            let now = try await site.ask("PROPFIND", Self.calendar, names, ["Depth": "0"])
            #expect(now.first("displayname") == "Agenda &amp; &lt;tournées&gt;")
            #expect(now.first("calendar-color") == "#FF2968FF")
            #expect(now.text.contains("gras</b> et &amp;</note>") && !now.text.contains("404"))
            let mixed = """
                <propertyupdate xmlns="DAV:"><set><prop><displayname>Autre</displayname><getetag>x</getetag></prop>
                </set></propertyupdate>
                """
            let refused = try await site.ask("PROPPATCH", Self.calendar, mixed)
            #expect(refused.text.contains("424 Failed Dependency") && refused.text.contains("403 Forbidden"))
            #expect(
                try await site.ask("PROPFIND", Self.calendar, names, ["Depth": "0"]).first("displayname")
                    == "Agenda &amp; &lt;tournées&gt;")
            let remove =
                "<propertyupdate xmlns=\"DAV:\"><remove><prop><x:note xmlns:x=\"urn:essai\"/></prop></remove></propertyupdate>"
            #expect(try await site.ask("PROPPATCH", Self.calendar, remove).status == 207)
            #expect(
                try await site.ask("PROPFIND", Self.calendar, names, ["Depth": "0"]).text.contains(
                    "404 Not Found"))
        }
    }

    @Test func `further calendars and address books are made, filled, and deleted`() async throws {
        try await withDAV { site, _ in
            let path = "/dav/calendars/hugo/salons/"
            let make = """
                <C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>
                <displayname>Salons</displayname><C:supported-calendar-component-set><C:comp name="VEVENT"/>
                </C:supported-calendar-component-set></prop></set></C:mkcalendar>
                """
            #expect(try await site.ask("MKCALENDAR", path, make).status == 201)
            let again = try await site.ask("MKCALENDAR", path, make)
            #expect(again.status == 403 && again.text.contains("resource-must-be-null"))
            let shown = try await site.ask("PROPFIND", path, propfind("<x:displayname/>"), ["Depth": "0"])
            #expect(shown.first("displayname") == "Salons")
            let book = """
                <mkcol xmlns="DAV:"><set><prop><resourcetype><collection/>
                <C:addressbook xmlns:C="urn:ietf:params:xml:ns:carddav"/></resourcetype></prop></set></mkcol>
                """
            #expect(try await site.ask("MKCOL", "/dav/addressbooks/hugo/prives", book).status == 201)
            #expect(try await site.ask("MKCOL", "/dav/addressbooks/hugo/prives", book).status == 405)
            #expect(try await site.ask("MKCOL", "/dav/calendars/hugo/x", book).status == 403)
            #expect(try await site.ask("MKCOL", "/dav/calendars/hugo/x").status == 403)
            #expect(try await site.ask("MKCALENDAR", path + "dedans/").status == 403)
            #expect(try await site.ask("MKCALENDAR", "/dav/calendars/hugo/a/b/").status == 409)
            #expect(try await site.ask("MKCALENDAR", "/dav/calendars/lea/x/").status == 409)
            #expect(try await site.ask("PUT", path + "a.ics", Sample.event("a")).status == 201)
            #expect(try await site.ask("DELETE", path).status == 204)
            #expect(try await site.ask("GET", path + "a.ics").status == 404)
            #expect(try await site.ask("PROPFIND", path).status == 404)
            #expect(try await site.ask("DELETE", Self.calendar).status == 403)
            #expect(try await site.ask("MKCALENDAR", path).status == 201)
        }
    }

    @Test func `objects move and are copied between collections, as the etag and what is there allow`()
        async throws
    {
        try await withDAV { site, _ in
            let other = "/dav/calendars/hugo/autre/"
            #expect(try await site.ask("MKCALENDAR", other).status == 201)
            let etag = try #require(
                try await site.ask("PUT", Self.calendar + "a.ics", Sample.event("a")).fields["etag"])
            func move(_ method: String, _ from: String, _ to: String, _ more: [String: String] = [:])
                async throws -> Int
            {
                try await site.ask(method, from, nil, ["Destination": site.address + to].merging(more) { $1 })
                    .status
            }
            let from = try #require(
                try await site.ask("REPORT", Self.calendar, sync("")).first("sync-token"))
            #expect(try await move("COPY", Self.calendar + "a.ics", Self.calendar + "b.ics") == 403)
            #expect(try await move("COPY", Self.calendar + "a.ics", other + "a.ics") == 201)
            #expect(
                try await move("COPY", Self.calendar + "a.ics", other + "a.ics", ["Overwrite": "F"]) == 412)
            #expect(try await move("COPY", Self.calendar + "a.ics", other + "a.ics") == 204)
            #expect(try await move("COPY", Self.calendar + "a.ics", other + "c.ics") == 403)
            #expect(
                try await move("MOVE", Self.calendar + "a.ics", other + "a.ics", ["If-Match": "\"x\""]) == 412
            )
            #expect(try await move("MOVE", Self.calendar + "a.ics", other + "a.ics") == 204)
            #expect(try await site.ask("GET", other + "a.ics").fields["etag"] == etag)
            #expect(try await site.ask("GET", Self.calendar + "a.ics").status == 404)
            let gone = try await site.ask("REPORT", Self.calendar, sync(from))
            #expect(gone.response(Self.calendar + "a.ics")?.contains("404") == true)
            #expect(try await move("MOVE", other + "a.ics", other + "z.ics") == 201)
            let listed = try await site.ask("REPORT", other, sync(""))
            #expect(listed.all("href") == [other + "z.ics"])
            #expect(try await move("MOVE", other + "z.ics", "/dav/calendars/hugo/rien/z.ics") == 409)
            #expect(try await move("MOVE", other + "z.ics", "/dav/calendars/lea/calendar/z.ics") == 409)
            #expect(try await move("MOVE", other + "z.ics", "/dav/calendars/hugo/tasks/z.ics") == 403)
            #expect(try await move("MOVE", other + "z.ics", Self.book + "z.vcf") == 403)
            #expect(try await move("MOVE", other + "rien.ics", Self.calendar + "z.ics") == 404)
            let away = try await site.ask(
                "MOVE", other + "z.ics", nil, ["Destination": "http://ailleurs/dav/x"])
            #expect(away.status == 502)
            #expect(try await site.ask("MOVE", other + "z.ics").status == 400)
        }
    }

    @Test func `a rep reaches nothing of another's, and is not told that it is there`() async throws {
        try await withDAV { site, _ in
            #expect(
                try await site.ask("PUT", Self.calendar + "prive.ics", Sample.event("secret")).status == 201)
            for path in [
                Self.calendar, Self.calendar + "prive.ics", "/dav/calendars/hugo/", Self.book,
                "/dav/calendars/personne/", "/dav/calendars/hugo/rien/",
            ] {
                for method in ["PROPFIND", "GET", "DELETE", "PROPPATCH", "REPORT", "PUT", "COPY"] {
                    let body =
                        method == "PROPPATCH"
                        ? "<propertyupdate xmlns=\"DAV:\"><set><prop><displayname>x</displayname></prop></set></propertyupdate>"
                        : method == "REPORT" ? sync("") : nil
                    let answer = try await site.ask(
                        method, path, body, as: "lea", ["Destination": "/dav/calendars/lea/calendar/x.ics"])
                    #expect(answer.status == 404, "\(method) \(path): \(answer.status)")
                    #expect(!answer.text.contains("secret"))
                }
            }
            // Who is who is no secret among colleagues.
            let seen = try await site.ask(
                "PROPFIND", "/dav/principals/hugo/", propfind("<x:displayname/><c:calendar-home-set/>"),
                as: "lea",
                ["Depth": "0"])
            #expect(seen.first("displayname") == "hugo")
        }
    }

    @Test func `bodies that are no XML, or mean harm, are refused`() async throws {
        try await withDAV { site, _ in
            let bomb = """
                <?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>
                <propfind xmlns="DAV:"><prop><displayname>&b;</displayname></prop></propfind>
                """
            let file = """
                <?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
                <propfind xmlns="DAV:"><prop><displayname>&a;</displayname></prop></propfind>
                """
            let deep = String(repeating: "<a>", count: 10_000) + String(repeating: "</a>", count: 10_000)
            let odd = [
                "<propfind", "rien", bomb, file, deep, "<propfind xmlns=\"DAV:\"></propfind>",
                "<a:propfind xmlns:a=\"DAV:\"><a:prop><b:x/></a:prop></a:propfind>",
                "<propfind xmlns=\"DAV:\"><prop><b:x xmlns:b=\"\"/></prop></propfind>",
                "<other xmlns=\"DAV:\"/>",
            ]
            for body in odd {
                let answer = try await site.ask("PROPFIND", Self.calendar, body, ["Depth": "0"])
                #expect(answer.status == 400, "\(body.prefix(60)): \(answer.status)")
                #expect(!answer.text.contains("root:"))
            }
            #expect(try await site.ask("PROPFIND", Self.calendar, nil, ["Depth": "2"]).status == 400)
            #expect(try await site.ask("REPORT", Self.calendar).status == 400)
            #expect(try await site.ask("PROPPATCH", Self.calendar).status == 400)
            let infinite = try await site.ask("PROPFIND", "/dav/", nil, ["Depth": "infinity"])
            #expect(infinite.status == 403 && infinite.text.contains("propfind-finite-depth"))
            for path in [
                "/dav/%00", "/dav/calendars/hugo/calendar/a%2Fb.ics", "/dav/calendars/hugo/calendar/%FF",
            ] {
                #expect(try await site.ask("PROPFIND", path).status == 400, "\(path)")
            }
        }
    }

    @Test func `programs find out who is who`() async throws {
        try await withDAV { site, _ in
            let search = """
                <principal-property-search xmlns="DAV:"><property-search><prop><displayname/></prop>
                <match>LE</match></property-search><prop><displayname/></prop></principal-property-search>
                """
            let found = try await site.ask("REPORT", "/dav/principals/", search, ["Depth": "0"])
            #expect(found.all("href") == ["/dav/principals/lea/"])
            let match = "<principal-match xmlns=\"DAV:\"><self/><prop><displayname/></prop></principal-match>"
            #expect(
                try await site.ask("REPORT", "/dav/principals/", match).all("href") == [
                    "/dav/principals/hugo/"
                ])
            let expand = """
                <expand-property xmlns="DAV:"><property name="current-user-principal">
                <property name="displayname"/><property name="calendar-home-set"
                namespace="urn:ietf:params:xml:ns:caldav"/></property></expand-property>
                """
            let expanded = try await site.ask("REPORT", "/dav/", expand)
            #expect(expanded.text.contains("<D:displayname>hugo</D:displayname>"))
            #expect(expanded.text.contains("<D:href>/dav/calendars/hugo/</D:href>"))
        }
    }
}

extension String {
    /// As an address writes it.
    var escaped: String { addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? self }
}
