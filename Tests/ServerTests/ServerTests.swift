// SPDX-License-Identifier: Apache-2.0
// Addresses and measures, without a network.

import Testing

@testable import Server

@Suite struct ServerTests {
    @Test func `an address is a host and a port`() {
        #expect(WebServer.Address("127.0.0.1:8080")?.port == 8080)
        #expect(WebServer.Address("[::1]:80")?.host == "::1")
        #expect(WebServer.Address("[::1]:80")?.description == "[::1]:80")
        for wrong in ["", ":80", "localhost", "::1:80", "a:65536", "a:-1", "a:b"] {
            #expect(WebServer.Address(wrong) == nil, "\(wrong)")
        }
    }

    @Test func `values of labels cannot break a line of the measures`() {
        let measure = Measure(
            .gauge, "relais_x", "Help.", [.init(1.5, .init("flow", "a\"b\\c\nd")), .init(2)])
        #expect(
            measure.text == """
                # HELP relais_x Help.
                # TYPE relais_x gauge
                relais_x{flow="a\\"b\\\\c\\nd"} 1.5
                relais_x 2

                """)
    }
}
