BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE authorisations (
	"key" TEXT NOT NULL, 
	secret BLOB NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "authorisations" VALUES('tiktok:4b307c48b71ad1e9c006249d60ac71f4',X'674141414141427242553454723039596B4631597A507963723770686E7457357A685764394669795857754A304C6532564747535946764B7035487A6D3651424D2D315666315769765761494B31636F7147585F51544269383572774A55553134624F5754524554385F37653136355F51416C334B39776B6A377744756B316F31344545347773784E57556C5452393650745652504147706752734762415F6A507A5F316C4B4F314852576D517731677A4354316651544C6A305F785649566D5867594172354B7867595A42764430584561325F59626D717930315F7067556D537072433872785745646F4779633533415F61796D4B6D634D706D583356334D7130316857786838547552506C71674B63574461554E424A4C6E5676464E506D6979304C50594A716C5951516D794B6C6E504E306D796E72395045744A7961744D6A327753444A34786C41695F395F48717179666D7049726570395663466974747848417158454C6358685065687844316275687075786B7353783341396B3141494D316E4C664E376A39337962744D48535548734F38627352654279674873654A5038586F453354696F67582D654C6A5770475964417273395A5868554D757076786F533457374F6837755A496D2D50667630436666716C496A486C31384A6B595764627076692D3259733465693166694F6D795F78667972547473413549565759526445526748314172422D494A5F6B396D4B34725352585376317652636B634B6C31546C466B756F623466314B3931683138396B57335446532D3242634F594A32706145366156424F43314844745036564E655244557847626F4A364178484E3553434136703846647465645667635F71734F69356F544E6974454B71313073374441587059346B7A2D4B776E41383432704E393957425F67646A79424266373245317567636F6231385243476B5077384A753771736D6E455939326F4976746E73696C5F414E317347584A6862355A4B352D346442526737504F365850486A653544486D6F2D42707A69387135303667377A653769766F513544447636742D2D6362554C424A35375A69596C31574679776C56676F75687269735176707436782D68754C6A79465373364B5A2D43775A34747244786876336569766D713932367A6B514966617265396E6E5A6A5238437967546F6876346C7A365A386542396A5353655874374A4D31767A6A2D6C4D596A54455761596E4D3869326C3635666F6C3577386E315932',1772452800000);
CREATE TABLE cancellations (
	connection TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	order_ref TEXT NOT NULL, 
	state TEXT NOT NULL, 
	document TEXT NOT NULL, 
	decision TEXT, 
	reason JSON, 
	due_at BIGINT, 
	PRIMARY KEY (connection, ref)
);
INSERT INTO "cancellations" VALUES('shop','403000000000000001','576000000000000003','done','{"ref":"403000000000000001","order_ref":"576000000000000003","state":"done","lines":["577000000000000004"],"reason":"No longer needed","updated_at":"2026-03-02T12:01:00Z"}',NULL,NULL,NULL);
CREATE TABLE connections (
	id TEXT NOT NULL, 
	paused_until BIGINT, 
	reason JSON, 
	PRIMARY KEY (id)
);
INSERT INTO "connections" VALUES('closed-shop',1772460601000,'{"code": "consent-needed", "what": "the consent has ended", "where": "closed-shop", "do": "hub connect closed-shop", "for_s": 300.0}');
CREATE TABLE cursors (
	connection TEXT NOT NULL, 
	stream TEXT NOT NULL, 
	value TEXT, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (connection, stream)
);
INSERT INTO "cursors" VALUES('factory','placed-orders',NULL,1772452800000);
INSERT INTO "cursors" VALUES('shop','orders','{"update_time_ge": 1772460001}',1772460301000);
INSERT INTO "cursors" VALUES('shop','cancellations','{"update_time_ge": 1772452861}',1772460301000);
INSERT INTO "cursors" VALUES('factory','watch','2026-03-02T14:05:01+00:00',1772460301000);
INSERT INTO "cursors" VALUES('factory','products','{"updated_at_min": "2026-03-02T12:00:00.000Z", "second_look": false, "seen_at": "2026-03-02T13:00:00.000Z", "settled": true}',1772460301000);
INSERT INTO "cursors" VALUES('shop','open-orders',NULL,1772460301000);
INSERT INTO "cursors" VALUES('factory','fulfillments','{"updated_at_min": "2026-03-02T13:00:00.000Z", "second_look": false, "seen_at": "2026-03-02T13:05:01.000Z", "settled": true}',1772460301000);
CREATE TABLE fulfillments (
	connection TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	order_ref TEXT NOT NULL, 
	document TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	first_seen_at BIGINT NOT NULL, 
	due_at BIGINT, 
	asked INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (connection, ref)
);
INSERT INTO "fulfillments" VALUES('factory','900001','1700002','{"ref":"900001","order_ref":"1700002","packages":[{"key":"900001","lines":{"3700002":"1"},"tracking_number":"1Z999AA10123456784","carrier":"UPS"}],"delivered":true,"at":"2026-03-02T13:00:00Z"}','659d42bec05100335d40fb55f149136295842619bad235f35c2d710467802a85',1772456701000,NULL,0);
CREATE TABLE levels (
	connection TEXT NOT NULL, 
	variant_ref TEXT NOT NULL, 
	location_ref TEXT NOT NULL, 
	in_stock TEXT NOT NULL, 
	committed TEXT NOT NULL, 
	potential TEXT NOT NULL, 
	read_at BIGINT NOT NULL, 
	PRIMARY KEY (connection, variant_ref, location_ref)
);
INSERT INTO "levels" VALUES('old-factory','10001','20001','100','3','0',1772460301000);
INSERT INTO "levels" VALUES('old-factory','10002','20001','7.5','0','2',1772460301000);
CREATE TABLE listings (
	connection TEXT NOT NULL, 
	product TEXT NOT NULL, 
	state TEXT NOT NULL, 
	ref TEXT, 
	told TEXT, 
	told_at BIGINT, 
	asked TEXT, 
	reason JSON, 
	due_at BIGINT, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	round INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (connection, product)
);
INSERT INTO "listings" VALUES('closed-shop','','done',NULL,NULL,1772460301000,NULL,NULL,NULL,0,0);
INSERT INTO "listings" VALUES('closed-shop','30001','blocked',NULL,NULL,NULL,'aaaaaaaa','{"code": "listing-incomplete", "what": "no picture", "where": "closed-shop", "do": "Add one."}',1772463901000,2,1);
CREATE TABLE locations (
	connection TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	is_default BOOLEAN NOT NULL, 
	usable BOOLEAN NOT NULL, 
	PRIMARY KEY (connection, ref)
);
INSERT INTO "locations" VALUES('closed-shop','7000000000000000001','Pickup LA','ships',1,1);
INSERT INTO "locations" VALUES('closed-shop','7000000000000000002','Returns LA','returns',0,1);
CREATE TABLE memory (
	connection TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (connection, "key")
);
INSERT INTO "memory" VALUES('shop','shop:7495000000000000001','{"shop": {"id": "7495000000000000001", "name": "Simulated Shop", "region": "US", "cipher": "ROW_8042536398199314AAAA/cipher+==", "seller_type": "LOCAL"}}');
INSERT INTO "memory" VALUES('factory','customer:tiktok:7495000000000000001','30001');
INSERT INTO "memory" VALUES('shop','carriers:7091146663229654785','{"at": 1772456701, "carriers": [{"id": "7117858858072016686", "name": "USPS"}, {"id": "7117859084333745966", "name": "UPS"}, {"id": "7352739623900022544", "name": "Gofo Express"}, {"id": "7352738314622863120", "name": "UniUni"}, {"id": "7325327335806403082", "name": "SpeedX"}]}');
CREATE TABLE orders (
	id INTEGER NOT NULL, 
	connection TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	channel_status TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	first_seen_at BIGINT NOT NULL, 
	read_at BIGINT NOT NULL, 
	digest TEXT NOT NULL, 
	document TEXT NOT NULL, 
	route TEXT, 
	fate TEXT NOT NULL, 
	cause TEXT, 
	reason JSON, 
	release_at BIGINT, 
	due_at BIGINT, 
	hand TEXT, 
	placed_digest TEXT, 
	rechecks INTEGER DEFAULT '0' NOT NULL, is_open BOOLEAN DEFAULT 1 NOT NULL, recorded BOOLEAN DEFAULT 0 NOT NULL, trouble JSON, 
	PRIMARY KEY (id), 
	CONSTRAINT one_row_per_channel_order UNIQUE (connection, ref)
);
INSERT INTO "orders" VALUES(1,'shop','576000000000000001','TT-576000000000000001','AWAITING_SHIPMENT',1772452740000,1772456340000,1772452800000,1772456701000,'8c286c6a16df7092bf32c17df5e443c3173738aa042aa880548070c76cb4d87f','{"ref":"576000000000000001","key":"TT-576000000000000001","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"open","channel_status":"AWAITING_SHIPMENT","created_at":"2026-03-02T11:59:00Z","updated_at":"2026-03-02T12:59:00Z","paid_at":"2026-03-02T11:59:00Z","region":"US","location_ref":"7004525755801517008","delivery_ref":"7091146663229654785","currency":"USD","lines":[{"ref":"577000000000000001","sku":"MUG","name":"Product MUG, Default","quantity":"1","price":"20.00","tax":"1.65","tax_rate":"8.2500","product_ref":"1729401861247237839","variant_ref":"1730756653187822917","location_ref":"7004525755801517008"},{"ref":"577000000000000002","sku":"MUG","name":"Product MUG, Default","quantity":"1","price":"20.00","tax":"1.65","tax_rate":"8.2500","product_ref":"1729401861247237839","variant_ref":"1730756653187822917","location_ref":"7004525755801517008"}],"totals":{"items":"40.00","tax":"3.30","total":"43.30"},"address":{"first_name":"Alex","last_name":"Doe","phone":"(+1)2130000001","line_1":"101 Sample St","line_2":"Unit 2","city":"Austin","state":"Texas","zip":"78701","country":"US"},"buyer":{"ref":"7021000000000000001","email":"sim1@chat.seller.example"}}','us','placed',NULL,NULL,NULL,NULL,NULL,'577000000000000001:MUG:1|577000000000000002:MUG:1#e4d4c4a8835829ba',0,1,0,NULL);
INSERT INTO "orders" VALUES(2,'shop','576000000000000002','TT-576000000000000002','AWAITING_COLLECTION',1772452740000,1772456701000,1772452800000,1772460301000,'9fda56997b503c50e581d460022bbf914bf54a1ed22f200b981b3d34cf2df9d0','{"ref":"576000000000000002","key":"TT-576000000000000002","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"shipped","channel_status":"AWAITING_COLLECTION","created_at":"2026-03-02T11:59:00Z","updated_at":"2026-03-02T13:05:01Z","paid_at":"2026-03-02T11:59:00Z","region":"US","location_ref":"7004525755801517008","delivery_ref":"7091146663229654785","currency":"USD","lines":[{"ref":"577000000000000003","sku":"TEE","name":"Product TEE, Default","quantity":"1","price":"15.00","tax":"1.24","tax_rate":"8.2500","status":"shipped","product_ref":"1729908317879965659","variant_ref":"1730696279147648089","location_ref":"7004525755801517008","package_ref":"115000000000000001","tracking_number":"1Z999AA10123456784"}],"totals":{"items":"15.00","tax":"1.24","total":"16.24"},"address":{"first_name":"Sam","last_name":"Poe","phone":"(+1)2130000002","line_1":"102 Invented Rd","city":"Denver","state":"Colorado","zip":"80202","country":"US"},"buyer":{"ref":"7021000000000000002","email":"sim2@chat.seller.example"}}','us','fulfilled',NULL,NULL,NULL,NULL,NULL,'577000000000000003:TEE:1#bf574ceacab8dcd6',0,0,0,NULL);
INSERT INTO "orders" VALUES(3,'shop','576000000000000004','TT-576000000000000004','AWAITING_SHIPMENT',1772452740000,1772456340000,1772452800000,1772456701000,'3c1a642adc5221f7e4a2c59c3de98fefdc8c18f95a6f3a1a5727c3daff98100a','{"ref":"576000000000000004","key":"TT-576000000000000004","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"open","channel_status":"AWAITING_SHIPMENT","created_at":"2026-03-02T11:59:00Z","updated_at":"2026-03-02T12:59:00Z","paid_at":"2026-03-02T11:59:00Z","region":"US","location_ref":"7004525755801517008","delivery_ref":"7091146663229654785","currency":"USD","lines":[{"ref":"577000000000000005","sku":"MUG","name":"Product MUG, Default","quantity":"1","price":"20.00","tax":"1.65","tax_rate":"8.2500","product_ref":"1729401861247237839","variant_ref":"1730756653187822917","location_ref":"7004525755801517008"}],"totals":{"items":"20.00","tax":"1.65","total":"21.65"},"address":{"first_name":"Kim","last_name":"Field","phone":"(+1)2130000004","line_1":"104 Sample St","city":"Austin","state":"Texas","zip":"78701","country":"US"},"buyer":{"ref":"7021000000000000004","email":"sim4@chat.seller.example"}}','us','held','by-hand',NULL,NULL,NULL,'held',NULL,0,1,0,NULL);
INSERT INTO "orders" VALUES(4,'shop','576000000000000005','TT-576000000000000005','AWAITING_SHIPMENT',1772452740000,1772456340000,1772452800000,1772456701000,'781997acea6df031f718fd35cf1ab7298eeb4af7c569b5e710f8a1c8586ad453','{"ref":"576000000000000005","key":"TT-576000000000000005","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"open","channel_status":"AWAITING_SHIPMENT","created_at":"2026-03-02T11:59:00Z","updated_at":"2026-03-02T12:59:00Z","paid_at":"2026-03-02T11:59:00Z","region":"US","location_ref":"7004525755801517008","delivery_ref":"7091146663229654785","currency":"USD","lines":[{"ref":"577000000000000006","sku":"HAT","name":"Product HAT, Default","quantity":"1","price":"9.00","tax":"0.74","tax_rate":"8.2500","product_ref":"1729113508642531455","variant_ref":"1730282486057775660","location_ref":"7004525755801517008"}],"totals":{"items":"9.00","tax":"0.74","total":"9.74"},"address":{"first_name":"Jo","last_name":"Brook","phone":"(+1)2130000005","line_1":"105 Invented Rd","line_2":"Unit 6","city":"Denver","state":"Colorado","zip":"80202","country":"US"},"buyer":{"ref":"7021000000000000005","email":"sim5@chat.seller.example"}}','us','blocked','variant-unmapped','[{"code": "variant-unmapped", "what": "SKU HAT (line 577000000000000006) has no variant in factory", "do": "Create the variant there, or map the SKU under orders/skus of route us; the order goes on by itself.", "skus": ["HAT"]}]',1772456340000,1772467501000,NULL,NULL,3,1,0,NULL);
INSERT INTO "orders" VALUES(5,'shop','576000000000000003','TT-576000000000000003','CANCELLED',1772452740000,1772452800000,1772452800000,1772456400000,'683127d2eb650e7fa57edb246f1c865adfad895d26e9e5b5a9758b6fee24d8e2','{"ref":"576000000000000003","key":"TT-576000000000000003","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"cancelled","channel_status":"CANCELLED","created_at":"2026-03-02T11:59:00Z","updated_at":"2026-03-02T12:00:00Z","paid_at":"2026-03-02T11:59:00Z","region":"US","location_ref":"7004525755801517008","delivery_ref":"7091146663229654785","currency":"USD","lines":[{"ref":"577000000000000004","sku":"MUG","name":"Product MUG, Default","quantity":"1","price":"20.00","tax":"1.65","tax_rate":"8.2500","status":"cancelled","product_ref":"1729401861247237839","variant_ref":"1730756653187822917","location_ref":"7004525755801517008"}],"totals":{"items":"20.00","tax":"1.65","total":"21.65"},"address":{"first_name":"R***","last_name":"S***","phone":"(+1)213-***-**03","line_1":"1*** Example Ave","line_2":"***","city":"S***","state":"California","zip":"95***","country":"US","masked":true},"buyer":{"ref":"7021000000000000003","email":"sim3@chat.seller.example"}}','us','cancelled',NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,NULL);
INSERT INTO "orders" VALUES(6,'shop','576000000000000007','TT-576000000000000007','ON_HOLD',1772459800000,1772459800000,1772460301000,1772460301000,'92e43f5149caef0e903f345567c92ae552591812206603f71bab7eefc9498984','{"ref":"576000000000000007","key":"TT-576000000000000007","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"on-hold","channel_status":"ON_HOLD","created_at":"2026-03-02T13:56:40Z","updated_at":"2026-03-02T13:56:40Z","paid_at":"2026-03-02T13:56:40Z","hold_until":"2026-03-02T14:56:40Z","region":"US","location_ref":"7004525755801517008","delivery_ref":"7091146663229654785","currency":"USD","lines":[{"ref":"577000000000000008","sku":"TEA","name":"Product TEA, Default","quantity":"1","price":"7.00","tax":"0.58","tax_rate":"8.2500","product_ref":"1729646504691934700","variant_ref":"1730584482165798290","location_ref":"7004525755801517008"}],"totals":{"items":"7.00","tax":"0.58","total":"7.58"},"address":{"first_name":"T***","last_name":"R***","phone":"(+1)213-***-**07","zip":"78***","country":"US","masked":true},"buyer":{"ref":"7021000000000000007","email":"sim7@chat.seller.example"}}','us','held','channel-hold',NULL,1772463400000,1772463400000,NULL,NULL,0,1,0,NULL);
INSERT INTO "orders" VALUES(7,'shop','576000000000000006','TT-576000000000000006','AWAITING_SHIPMENT',1772456400000,1772460000000,1772460301000,1772460301000,'0389aba16296370159f24c691d0b423f6d86c839a4fbc4943b482391c1442b24','{"ref":"576000000000000006","key":"TT-576000000000000006","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"open","channel_status":"AWAITING_SHIPMENT","created_at":"2026-03-02T13:00:00Z","updated_at":"2026-03-02T14:00:00Z","paid_at":"2026-03-02T13:00:00Z","region":"US","location_ref":"7004525755801517008","delivery_ref":"7091146663229654785","currency":"USD","lines":[{"ref":"577000000000000007","sku":"TEA","name":"Product TEA, Default","quantity":"1","price":"7.00","tax":"0.58","tax_rate":"8.2500","product_ref":"1729646504691934700","variant_ref":"1730584482165798290","location_ref":"7004525755801517008"}],"totals":{"items":"7.00","tax":"0.58","total":"7.58"},"address":{"first_name":"Chris","last_name":"Hill","phone":"(+1)2130000006","line_1":"106 Example Ave","city":"San Jose","state":"California","zip":"95110","country":"US"},"buyer":{"ref":"7021000000000000006","email":"sim6@chat.seller.example"}}','us','ready',NULL,NULL,1772460000000,NULL,NULL,NULL,0,1,0,NULL);
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	target TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	order_id INTEGER NOT NULL, 
	priority INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	due_at BIGINT NOT NULL, 
	look_first BOOLEAN NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	deadline_at BIGINT, 
	payload TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT one_effect_per_key UNIQUE (target, kind, "key"), 
	FOREIGN KEY(order_id) REFERENCES orders (id)
);
INSERT INTO "outbox" VALUES(1,'place-order','factory','TT-576000000000000001',1,20,'done',1772456400000,0,1,1772456403000,'{"sales_order":{"key":{"key":"TT-576000000000000001","channel":"tiktok","shop":"7495000000000000001","ref":"576000000000000001","ordered_at":"2026-03-02T11:59:00Z"},"customer":{"reference":"tiktok:7495000000000000001","name":"Simulated Shop"},"currency":"USD","ordered_at":"2026-03-02T11:59:00Z","location_ref":null,"rows":[{"variant_ref":"10001","sku":"MUG","quantity":"2","price":"20"}],"address":{"first_name":"Alex","last_name":"Doe","phone":"(+1)2130000001","line_1":"101 Sample St","line_2":"Unit 2","city":"Austin","state":"Texas","zip":"78701","country":"US"}},"digest":"577000000000000001:MUG:1|577000000000000002:MUG:1#e4d4c4a8835829ba","document":"8c286c6a16df7092bf32c17df5e443c3173738aa042aa880548070c76cb4d87f"}');
INSERT INTO "outbox" VALUES(2,'place-order','factory','TT-576000000000000002',2,20,'done',1772456400000,0,1,1772456403000,'{"sales_order":{"key":{"key":"TT-576000000000000002","channel":"tiktok","shop":"7495000000000000001","ref":"576000000000000002","ordered_at":"2026-03-02T11:59:00Z"},"customer":{"reference":"tiktok:7495000000000000001","name":"Simulated Shop"},"currency":"USD","ordered_at":"2026-03-02T11:59:00Z","location_ref":null,"rows":[{"variant_ref":"10002","sku":"TEE","quantity":"1","price":"15"}],"address":{"first_name":"Sam","last_name":"Poe","phone":"(+1)2130000002","line_1":"102 Invented Rd","city":"Denver","state":"Colorado","zip":"80202","country":"US"}},"digest":"577000000000000003:TEE:1#bf574ceacab8dcd6","document":"6ac81b1c6d7dd1180ad229306dd6bb5867eb12201d40db529b582e7a925dfb70"}');
INSERT INTO "outbox" VALUES(3,'place-order','factory','TT-576000000000000006',7,20,'unknown',1772460307000,0,1,1772460304000,'{"sales_order":{"key":{"key":"TT-576000000000000006","channel":"tiktok","shop":"7495000000000000001","ref":"576000000000000006","ordered_at":"2026-03-02T13:00:00Z"},"customer":{"reference":"tiktok:7495000000000000001","name":"Simulated Shop"},"currency":"USD","ordered_at":"2026-03-02T13:00:00Z","location_ref":null,"rows":[{"variant_ref":"10003","sku":"TEA","quantity":"1","price":"7"}],"address":{"first_name":"Chris","last_name":"Hill","phone":"(+1)2130000006","line_1":"106 Example Ave","city":"San Jose","state":"California","zip":"95110","country":"US"}},"digest":"577000000000000007:TEA:1#bb227a27c855edee","document":"0389aba16296370159f24c691d0b423f6d86c839a4fbc4943b482391c1442b24"}');
CREATE TABLE packages (
	id INTEGER NOT NULL, 
	order_id INTEGER NOT NULL, 
	erp TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	lines JSON NOT NULL, 
	tracking_number TEXT, 
	carrier TEXT, 
	tracking_url TEXT, 
	state TEXT NOT NULL, 
	package_ref TEXT, 
	told_tracking TEXT, 
	told_at BIGINT, 
	reason JSON, 
	due_at BIGINT, 
	deadline_at BIGINT, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT one_package_per_key UNIQUE (erp, "key"), 
	FOREIGN KEY(order_id) REFERENCES orders (id)
);
INSERT INTO "packages" VALUES(1,2,'factory','900001','{"577000000000000003": "1"}','1Z999AA10123456784','UPS',NULL,'done','115000000000000001','1Z999AA10123456784',1772456701000,NULL,NULL,1772456704000,1);
CREATE TABLE returns (
	connection TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	order_ref TEXT NOT NULL, 
	document TEXT NOT NULL, 
	state TEXT NOT NULL, 
	sales_return_ref TEXT, 
	reason JSON, 
	due_at BIGINT, 
	PRIMARY KEY (connection, ref)
);
INSERT INTO "returns" VALUES('closed-shop','4035000000000000001','576000000000000001','{"ref": "4035000000000000001", "order_ref": "576000000000000001", "lines": []}','waiting',NULL,NULL,1772460361000);
CREATE TABLE route_starts (
	route TEXT NOT NULL, 
	start_at BIGINT NOT NULL, 
	PRIMARY KEY (route)
);
INSERT INTO "route_starts" VALUES('closed',1772452800000);
CREATE TABLE sales_orders (
	order_id INTEGER NOT NULL, 
	erp TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	number TEXT NOT NULL, 
	adopted BOOLEAN NOT NULL, 
	linked_at BIGINT NOT NULL, rows JSON, gone_at BIGINT, 
	PRIMARY KEY (order_id), 
	CONSTRAINT one_sales_order_per_key UNIQUE (erp, "key"), 
	CONSTRAINT one_channel_order_per_sales_order UNIQUE (erp, ref), 
	FOREIGN KEY(order_id) REFERENCES orders (id)
);
INSERT INTO "sales_orders" VALUES(1,'factory','TT-576000000000000001','1700001','TT-576000000000000001',0,1772456400000,'[{"ref": "3700001", "variant_ref": "10001", "quantity": "2"}]',NULL);
INSERT INTO "sales_orders" VALUES(2,'factory','TT-576000000000000002','1700002','TT-576000000000000002',0,1772456400000,'[{"ref": "3700002", "variant_ref": "10002", "quantity": "1"}]',NULL);
CREATE TABLE stock (
	connection TEXT NOT NULL, 
	variant_ref TEXT NOT NULL, 
	quantities JSON, 
	committed TEXT, 
	read_at BIGINT, 
	demand TEXT, 
	target JSON, 
	terms JSON, 
	pushed_at BIGINT, 
	reason JSON, 
	retry_at BIGINT, 
	PRIMARY KEY (connection, variant_ref)
);
INSERT INTO "stock" VALUES('closed-shop','1729000000000000001','{"7000000000000000001": "95"}','3',1772460301000,'2','{"7000000000000000001": "95"}','{"available": "97", "demand": "0", "buffer": "2"}',1772460301000,NULL,NULL);
INSERT INTO "stock" VALUES('closed-shop','1729000000000000002',NULL,NULL,NULL,NULL,'{"7000000000000000001": "0"}',NULL,NULL,'{"code": "quantity-refused", "what": "no", "where": "closed-shop", "do": "look"}',1772461201000);
CREATE TABLE switches (
	connection TEXT NOT NULL, 
	sku TEXT NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	PRIMARY KEY (connection, sku)
);
INSERT INTO "switches" VALUES('closed-shop','SAMPLE-1',0);
INSERT INTO "switches" VALUES('closed-shop','SAMPLE-2',1);
CREATE TABLE timeline (
	id INTEGER NOT NULL, 
	order_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	event TEXT NOT NULL, 
	detail JSON NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(order_id) REFERENCES orders (id)
);
INSERT INTO "timeline" VALUES(1,1,1772452800000,'pulled','{"status": "ON_HOLD", "lines": 2, "total": "43.30", "currency": "USD"}');
INSERT INTO "timeline" VALUES(2,1,1772452800000,'held','{"cause": "channel-hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(3,2,1772452800000,'pulled','{"status": "ON_HOLD", "lines": 1, "total": "16.24", "currency": "USD"}');
INSERT INTO "timeline" VALUES(4,2,1772452800000,'held','{"cause": "channel-hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(5,3,1772452800000,'pulled','{"status": "ON_HOLD", "lines": 1, "total": "21.65", "currency": "USD"}');
INSERT INTO "timeline" VALUES(6,3,1772452800000,'held','{"cause": "channel-hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(7,4,1772452800000,'pulled','{"status": "ON_HOLD", "lines": 1, "total": "9.74", "currency": "USD"}');
INSERT INTO "timeline" VALUES(8,4,1772452800000,'held','{"cause": "channel-hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(9,5,1772452800000,'pulled','{"status": "CANCELLED", "lines": 1, "total": "21.65", "currency": "USD"}');
INSERT INTO "timeline" VALUES(10,5,1772452800000,'cancelled','{"route": "us"}');
INSERT INTO "timeline" VALUES(11,3,1772452800000,'held-by-hand','{"reason": "looks odd"}');
INSERT INTO "timeline" VALUES(12,3,1772452800000,'held','{"cause": "by-hand", "route": "us"}');
INSERT INTO "timeline" VALUES(13,1,1772456400000,'changed','{"status": "AWAITING_SHIPMENT", "total": "43.30"}');
INSERT INTO "timeline" VALUES(14,1,1772456400000,'held','{"cause": "hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(15,2,1772456400000,'changed','{"status": "AWAITING_SHIPMENT", "total": "16.24"}');
INSERT INTO "timeline" VALUES(16,2,1772456400000,'held','{"cause": "hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(17,3,1772456400000,'changed','{"status": "AWAITING_SHIPMENT", "total": "21.65"}');
INSERT INTO "timeline" VALUES(18,4,1772456400000,'changed','{"status": "AWAITING_SHIPMENT", "total": "9.74"}');
INSERT INTO "timeline" VALUES(19,4,1772456400000,'held','{"cause": "hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(20,1,1772456400000,'ready','{"route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(21,2,1772456400000,'ready','{"route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(22,4,1772456400000,'blocked','{"cause": "variant-unmapped", "route": "us", "release_at": "2026-03-02T12:59:00+00:00", "problems": [{"code": "variant-unmapped", "what": "SKU HAT (line 577000000000000006) has no variant in factory", "do": "Create the variant there, or map the SKU under orders/skus of route us; the order goes on by itself.", "skus": ["HAT"]}]}');
INSERT INTO "timeline" VALUES(23,1,1772456400000,'sent','{"number": "TT-576000000000000001", "ref": "1700001", "currency": "USD", "total": "40"}');
INSERT INTO "timeline" VALUES(24,1,1772456400000,'placed','{"route": "us"}');
INSERT INTO "timeline" VALUES(25,2,1772456400000,'sent','{"number": "TT-576000000000000002", "ref": "1700002", "currency": "USD", "total": "15"}');
INSERT INTO "timeline" VALUES(26,2,1772456400000,'placed','{"route": "us"}');
INSERT INTO "timeline" VALUES(27,2,1772456701000,'shipment-seen','{"shipment": "900001", "lines": {"577000000000000003": "1"}, "tracking": "1Z999AA10123456784", "carrier": "UPS"}');
INSERT INTO "timeline" VALUES(28,2,1772456701000,'shipped','{"shipment": "900001", "lines": {"577000000000000003": "1"}, "tracking": "1Z999AA10123456784", "package": "115000000000000001"}');
INSERT INTO "timeline" VALUES(29,6,1772460301000,'pulled','{"status": "ON_HOLD", "lines": 1, "total": "7.58", "currency": "USD"}');
INSERT INTO "timeline" VALUES(30,6,1772460301000,'held','{"cause": "channel-hold", "route": "us", "release_at": "2026-03-02T14:56:40+00:00"}');
INSERT INTO "timeline" VALUES(31,7,1772460301000,'pulled','{"status": "AWAITING_SHIPMENT", "lines": 1, "total": "7.58", "currency": "USD"}');
INSERT INTO "timeline" VALUES(32,7,1772460301000,'held','{"cause": "hold", "route": "us", "release_at": "2026-03-02T14:00:00+00:00"}');
INSERT INTO "timeline" VALUES(33,2,1772460301000,'changed','{"status": "AWAITING_COLLECTION", "total": "16.24"}');
INSERT INTO "timeline" VALUES(34,2,1772460301000,'fulfilled','{"route": "us"}');
INSERT INTO "timeline" VALUES(35,7,1772460301000,'ready','{"route": "us", "release_at": "2026-03-02T14:00:00+00:00"}');
INSERT INTO "timeline" VALUES(36,7,1772460301000,'outcome-unknown','{"code": "no-answer", "what": "POST /v1/sales_orders got no whole answer (RemoteProtocolError)", "where": "factory, 127.0.0.1", "do": "The hub tries again by itself; if it lasts, check the network and the other side''s status page.", "until": "2026-03-02T14:05:07+00:00"}');
CREATE TABLE variants (
	connection TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	sku TEXT, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	gone BOOLEAN NOT NULL, product_ref TEXT, places JSON, stockable BOOLEAN DEFAULT 1 NOT NULL, status TEXT DEFAULT '' NOT NULL, product_name TEXT DEFAULT '' NOT NULL, price TEXT, currency TEXT, options JSON, 
	PRIMARY KEY (connection, ref)
);
INSERT INTO "variants" VALUES('factory','10003','TEA','Tea','product',0,'product:503','[]',1,'','Tea','20',NULL,'{}');
INSERT INTO "variants" VALUES('factory','10002','TEE','Tee','product',0,'product:502','[]',1,'','Tee','20',NULL,'{}');
INSERT INTO "variants" VALUES('factory','10001','MUG','Mug','product',0,'product:501','[]',1,'','Mug','20',NULL,'{}');
CREATE INDEX orders_due ON orders (connection, due_at);
CREATE INDEX orders_fate ON orders (fate, id);
CREATE INDEX orders_ref ON orders (ref);
CREATE INDEX outbox_work ON outbox (target, state, priority, due_at);
CREATE INDEX outbox_order ON outbox (order_id);
CREATE INDEX timeline_order ON timeline (order_id, id);
CREATE INDEX variants_sku ON variants (connection, sku);
CREATE INDEX orders_open ON orders (connection, is_open, id);
CREATE INDEX sales_orders_linked ON sales_orders (linked_at);
CREATE INDEX fulfillments_order ON fulfillments (connection, order_ref);
CREATE INDEX fulfillments_due ON fulfillments (connection, due_at);
CREATE INDEX packages_order ON packages (order_id);
CREATE INDEX packages_work ON packages (state, due_at);
CREATE INDEX cancellations_order ON cancellations (connection, order_ref);
CREATE INDEX cancellations_due ON cancellations (connection, due_at);
CREATE INDEX returns_due ON returns (connection, due_at);
COMMIT;
