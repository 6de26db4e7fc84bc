"""The table of product and stock calls (8); scopes as in 2.6, ciphers as in 3.4."""

from __future__ import annotations

from tiktok_simulator.catalogue import calls_category as category
from tiktok_simulator.catalogue import calls_product as product
from tiktok_simulator.catalogue import calls_stock as stock
from tiktok_simulator.catalogue import calls_upload as upload
from tiktok_simulator.catalogue.calls_search import search_products
from tiktok_simulator.catalogue.readiness import prerequisites
from tiktok_simulator.gateway import Endpoint

BASIC, WRITE, DELETE = "seller.product.basic", "seller.product.write", "seller.product.delete"
BASE = "/product/202309"
PRODUCT, CATEGORY = f"{BASE}/products/{{product_id}}", f"{BASE}/categories/{{category_id}}"
NEW = "/product/202509/products/{product_id}"

CATALOGUE_ENDPOINTS = [
    Endpoint("POST", "/product/202502/products/search", BASIC, search_products),
    Endpoint("POST", f"{BASE}/products/search", BASIC, search_products),
    Endpoint("GET", "/product/202312/prerequisites", BASIC, prerequisites),
    Endpoint("POST", f"{BASE}/inventory/search", BASIC, stock.search_stock),
    Endpoint("POST", f"{BASE}/products", WRITE, product.create_product),
    Endpoint("DELETE", f"{BASE}/products", DELETE, product.delete),
    Endpoint("POST", f"{BASE}/products/listing_check", BASIC, product.listing_check),
    Endpoint("POST", f"{BASE}/products/activate", BASIC, product.activate),
    Endpoint("POST", f"{BASE}/products/deactivate", BASIC, product.deactivate),
    Endpoint("POST", f"{BASE}/products/recover", BASIC, product.recover),
    Endpoint("GET", PRODUCT, BASIC, product.get_product),
    Endpoint("PUT", NEW, WRITE, product.replace_product),
    Endpoint("POST", f"{NEW}/partial_edit", WRITE, product.edit_product),
    Endpoint("PUT", PRODUCT, WRITE, product.replace_product),
    Endpoint("POST", f"{PRODUCT}/partial_edit", WRITE, product.edit_product),
    Endpoint("POST", f"{PRODUCT}/prices/update", WRITE, product.update_prices),
    Endpoint("POST", f"{PRODUCT}/inventory/update", WRITE, stock.update_stock),
    Endpoint("GET", f"{BASE}/categories", BASIC, category.categories),
    Endpoint("POST", f"{BASE}/categories/recommend", BASIC, category.recommend),
    Endpoint("GET", f"{CATEGORY}/attributes", BASIC, category.attributes),
    Endpoint("GET", f"{CATEGORY}/rules", BASIC, category.rules),
    Endpoint("GET", f"{BASE}/brands", BASIC, category.brands),
    Endpoint("POST", f"{BASE}/brands", BASIC, category.create_brand, "forbidden"),
    Endpoint("POST", f"{BASE}/images/upload", BASIC, upload.upload_image, "forbidden"),
    Endpoint("POST", f"{BASE}/files/upload", BASIC, upload.upload_file, "forbidden"),
]
