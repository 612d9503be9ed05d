// SPDX-License-Identifier: Apache-2.0
// Programs of others against the server: vdirsyncer, the caldav library, its tester of servers, litmus.

import Foundation
import RelaisTesting
import Testing

@Suite(.serialized) struct DAVPeerTests {
    /// What vdirsyncer is told to keep the same: a folder and a server, for calendars and for address books.
    private func settings(_ site: DAVSite, _ folder: URL) throws -> URL {
        let password = try #require(site.passwords["hugo"])
        let file = folder.appending(path: "vdirsyncer.conf")
        func pair(_ name: String, _ type: String, _ ending: String) -> String {
            """
            [pair \(name)]
            a = "\(name)_here"
            b = "\(name)_there"
            collections = ["from b"]
            [storage \(name)_here]
            type = "filesystem"
            path = "\(folder.path)/\(name)/"
            fileext = "\(ending)"
            [storage \(name)_there]
            type = "\(type)"
            url = "\(site.address)/"
            username = "hugo"
            password = "\(password)"

            """
        }
        let text = """
            [general]
            status_path = "\(folder.path)/status/"

            """
        try Data((text + pair("agenda", "caldav", ".ics") + pair("carnet", "carddav", ".vcf")).utf8).write(
            to: file)
        return file
    }

    @Test func `vdirsyncer keeps a folder and the server the same, both ways`() async throws {
        try await withDAV { site, folder in
            let file = try settings(site, folder)
            func run(_ arguments: String...) async throws -> String {
                let run = try await DAVSite.peer("vdirsyncer", ["-c", file.path] + arguments, in: folder)
                #expect(run.status == 0, "\(run.output)")
                return run.output
            }
            let discover = try await DAVSite.peer(
                "/bin/sh",
                [
                    "-c", "yes | \"$0\" -c \"$1\" discover",
                    Repository.root.path + "/.venv-dav/bin/vdirsyncer", file.path,
                ],
                in: folder)
            #expect(discover.status == 0, "\(discover.output)")
            let here = folder.appending(path: "agenda/calendar")
            let cards = folder.appending(path: "carnet/addressbook")
            for index in 1...20 {
                try Data(Sample.event("ici-\(index)").utf8).write(to: here.appending(path: "\(index).ics"))
                try Data(Sample.card("carte-\(index)").utf8).write(to: cards.appending(path: "\(index).vcf"))
            }
            let calendar = "/dav/calendars/hugo/calendar/"
            #expect(try await site.ask("PUT", calendar + "l%C3%A0.ics", Sample.event("là")).status == 201)
            _ = try await run("sync")
            let listed = try await site.ask("PROPFIND", calendar, nil, ["Depth": "1"])
            #expect(listed.all("getetag").count == 21)
            #expect(try FileManager.default.contentsOfDirectory(atPath: here.path).count == 21)
            #expect(try FileManager.default.contentsOfDirectory(atPath: cards.path).count == 20)
            // Nothing changed: nothing is done.
            #expect(try await run("sync").contains("Uploading") == false)
            // Both sides change.
            try FileManager.default.removeItem(at: here.appending(path: "1.ics"))
            try Data(Sample.event("ici-2", "Changée ici").utf8).write(to: here.appending(path: "2.ics"))
            let there = try await site.ask("PROPFIND", calendar, nil, ["Depth": "1"]).all("href").filter {
                $0.hasSuffix(".ics")
            }
            let third = try #require(there.first { $0.hasSuffix("/ici-3.ics") })
            #expect(try await site.ask("PUT", third, Sample.event("ici-3", "Changée là-bas")).status == 204)
            #expect(try await site.ask("DELETE", calendar + "l%C3%A0.ics").status == 204)
            _ = try await run("sync")
            let texts = try FileManager.default.contentsOfDirectory(atPath: here.path).map {
                try String(contentsOf: here.appending(path: $0), encoding: .utf8)
            }
            #expect(texts.count == 19 && texts.contains { $0.contains("Changée là-bas") })
            let second = try #require(there.first { $0.hasSuffix("/ici-2.ics") })
            #expect(try await site.ask("GET", second).text.contains("Changée ici"))
            #expect(try await site.ask("PROPFIND", calendar, nil, ["Depth": "1"]).all("getetag").count == 19)
        }
    }

    @Test func `the caldav library finds, writes, searches and synchronises`() async throws {
        try await withDAV { site, folder in
            let script = folder.appending(path: "essai.py")
            let text = """
                import sys, datetime, caldav
                client = caldav.DAVClient(url=sys.argv[1] + "/dav/", username="hugo", password=sys.argv[2])
                principal = client.principal()
                names = sorted(c.url.path for c in principal.calendars())
                assert names == ["/dav/calendars/hugo/calendar/", "/dav/calendars/hugo/tasks/"], names
                calendar = principal.make_calendar(name="Essai", cal_id="essai")
                utc = datetime.timezone.utc
                event = calendar.save_event(dtstart=datetime.datetime(2026, 12, 1, 9, tzinfo=utc),
                    dtend=datetime.datetime(2026, 12, 1, 10, tzinfo=utc), summary="Visite", uid="une")
                calendar.save_event(dtstart=datetime.datetime(2026, 12, 7, 9, tzinfo=utc),
                    dtend=datetime.datetime(2026, 12, 7, 10, tzinfo=utc), summary="Point", uid="suite",
                    rrule={"FREQ": ["WEEKLY"]})
                def search(day, **more):
                    start = datetime.datetime(2027, 3, day, tzinfo=utc)
                    return calendar.search(start=start, end=start + datetime.timedelta(days=1), event=True, **more)
                assert len(search(1)) == 1 and len(search(2)) == 0
                expanded = search(1, server_expand=True)[0].data
                assert "RRULE" not in expanded and "DTSTART:20270301T090000Z" in expanded, expanded
                assert "RECURRENCE-ID:20270301T090000Z" in expanded, expanded
                token = calendar.objects_by_sync_token(load_objects=True)
                event.icalendar_component["SUMMARY"] = "Visite reportee"
                event.save()
                calendar.event_by_uid("suite").delete()
                changes = calendar.objects_by_sync_token(token.sync_token)
                assert len(list(changes)) == 2, list(changes)
                assert "reportee" in calendar.event_by_uid("une").data
                assert len(calendar.events()) == 1
                busy = calendar.freebusy_request(datetime.datetime(2026, 12, 1, tzinfo=utc),
                    datetime.datetime(2026, 12, 2, tzinfo=utc))
                assert "20261201T090000Z/20261201T100000Z" in busy.data, busy.data
                calendar.delete()
                assert len(principal.calendars()) == 2
                print("fini")
                """
            try Data(text.utf8).write(to: script)
            let run = try await DAVSite.peer(
                "python", [script.path, site.address, try #require(site.passwords["hugo"])], in: folder)
            #expect(run.status == 0 && run.output.contains("fini"), "\(run.output)")
        }
    }

    @Test func `litmus finds nothing against the standard on plain files`() async throws {
        try await withDAV(environment: ["RELAIS_DAV_FILES": "1"]) { site, folder in
            let run = try await DAVSite.peer(
                "/usr/bin/litmus",
                ["-k", site.address + "/dav/files/hugo/", "hugo", try #require(site.passwords["hugo"])],
                in: folder, environment: ["TESTS": "basic copymove props http"])
            #expect(run.status == 0 && !run.output.contains("FAIL"), "\(run.output)")
        }
    }

    @Test func `the tester of servers finds what it expects, but for invitations`() async throws {
        try await withDAV { site, folder in
            let arguments = [
                "--caldav-url", site.address + "/dav/", "--caldav-username", "hugo", "--caldav-password",
                try #require(site.passwords["hugo"]), "--format", "json", "--verbose",
            ]
            let run = try await DAVSite.peer("caldav-server-tester", arguments, in: folder)
            let found = run.output.matches(of: #/unexpected for ([a-z0-9.-]+)\.\s/#).map { String($0.1) }
            #expect(run.output.contains("\"features\""), "\(run.output.suffix(3000))")
            // Inbox and outbox are not there yet.
            #expect(found == ["scheduling"], "\(run.output.prefix(3000))")
        }
    }
}
