"""Configurations of other programs as people write them; made up here."""

GATUS = b"""\
storage:
  type: sqlite
  path: /data/gatus.db
alerting:
  slack:
    webhook-url: https://hooks.example/T000
    default-alert: {failure-threshold: 5}
maintenance:
  start: "23:00"
  duration: 90m
  timezone: Europe/Berlin
  every: [Monday, Thursday]
x-usual: &usual
  interval: 5m
  client: {timeout: 3s}
endpoints:
  - name: Front end
    group: shop
    <<: *usual
    url: https://shop.example/health
    headers:
      Authorization: Bearer abc
      X-Region: $REGION
    conditions:
      - "[STATUS] == any(200, 204)"
      - "[BODY].status == UP"
      - "[BODY].pools[0].user-id == 7"
      - "len([BODY].items) > 0"
      - "has([BODY].errors) == false"
      - "[BODY] == pat(*<h1>Shop</h1>*)"
      - "[RESPONSE_TIME] < 300"
      - "[CERTIFICATE_EXPIRATION] > 48h"
      - "[DOMAIN_EXPIRATION] > 720h"
    alerts:
      - {type: slack, failure-threshold: 4, success-threshold: 3}
  - name: search
    url: https://search.example/graphql
    method: POST
    graphql: true
    body: "{ products(first: 1) { id } }"
    client: {insecure: true, ignore-redirect: true, proxy-url: "http://proxy.example:3128"}
    conditions: ["[STATUS] == 200"]
  - {name: names, url: "192.0.2.53", dns: {query-name: shop.example, query-type: A},
     conditions: ["[DNS_RCODE] == NOERROR", "[BODY] == 192.0.2.7"]}
  - {name: bastion, url: "ssh://bastion.example:22", ssh: {username: a, password: b},
     conditions: ["[CONNECTED] == true"]}
  - {name: gateway, url: "icmp://192.0.2.1", conditions: ["[CONNECTED] == true"]}
  - {name: database, url: "tcp://db.example:5432", interval: 2s,
     conditions: ["[CONNECTED] == true"]}
  - {name: mail, url: "starttls://mail.example:587", conditions: ["[CERTIFICATE_EXPIRATION] > 1d"]}
  - {name: vault, url: "tls://vault.example:8200", conditions: ["[CONNECTED] == true"]}
  - {name: prices, url: "wss://prices.example/feed", body: '{"subscribe": "all"}',
     conditions: ["[BODY] == pat(*price*)"]}
  - {name: game, url: "udp://game.example:27015", conditions: ["[CONNECTED] == true"]}
  - {name: old, url: "https://old.example/", enabled: false, conditions: ["[STATUS] == 200"]}
external-endpoints:
  - {name: backup, group: shop, token: hush, heartbeat: {interval: 24h}}
  - {name: told, token: hush}
suites:
  - {name: buy, endpoints: []}
"""

BLACKBOX = b"""\
modules:
  http_2xx:
    prober: http
    timeout: 5s
    http:
      valid_status_codes: [200, 204]
      fail_if_not_ssl: true
      fail_if_body_not_matches_regexp: ["in stock"]
      fail_if_header_not_matches:
        - {header: X-Cache, regexp: "^HIT"}
      basic_auth: {username: watch, password: hush}
      tls_config: {ca_file: /etc/ca.pem}
  smtp:
    prober: tcp
    tcp:
      query_response:
        - {expect: "^220"}
        - {send: "EHLO watch"}
        - {starttls: true}
  banner:
    prober: tcp
    tcp: {query_response: [{expect: "^SSH-2.0-"}]}
  names:
    prober: dns
    dns: {query_name: shop.example, query_type: ANY, valid_rcodes: [NOERROR, NXDOMAIN],
          validate_answer_rrs: {fail_if_not_matches_regexp: ["192"]}}
  ping: {prober: icmp, icmp: {payload_size: 64}}
  health: {prober: grpc, grpc: {service: shop.Cart, tls: true}}
  unused: {prober: http}
"""

PROMETHEUS = b"""\
global: {scrape_interval: 30s, scrape_timeout: 8s}
scrape_configs:
  - job_name: node
    static_configs: [{targets: ["192.0.2.9:9100"]}]
  - job_name: web
    metrics_path: /probe
    params: {module: [http_2xx]}
    scrape_interval: 1m
    static_configs:
      - targets: [https://shop.example/, http://plain.example]
        labels: {service: shop}
    relabel_configs: &exporter
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: "127.0.0.1:9115"}
  - job_name: mixed
    metrics_path: /probe
    static_configs:
      - {targets: ["mail.example:587"], labels: {__param_module: smtp}}
      - {targets: ["bastion.example:22"], labels: {__param_module: banner}}
      - {targets: ["192.0.2.53"], labels: {__param_module: names}}
      - {targets: ["192.0.2.1"], labels: {__param_module: ping}}
      - {targets: ["cart.example:8443"], labels: {__param_module: health}}
      - {targets: ["x.example"], labels: {__param_module: nowhere}}
    file_sd_configs: [{files: [targets/*.json]}]
    relabel_configs: *exporter
"""
